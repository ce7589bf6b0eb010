/** The least that a workflow can do: what Temporal itself costs. */
export async function empty(): Promise<void> {}
