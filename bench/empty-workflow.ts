/** A workflow that does nothing: the cost of Temporal itself. */
export async function empty(): Promise<void> {}
