/** What keeps the stack from starting, said in a way that its user can act on: one message, exit code 2. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Node's code of a system error (`ENOENT`, `EACCES` ...), or an empty string. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What an error says, with what lies below it: fetch says no more than "fetch failed" itself. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const below = error.cause instanceof Error ? error.cause.message || systemCode(error.cause) : '';
  return below === '' || error.message.includes(below) ? error.message : `${error.message}: ${below}`;
}
