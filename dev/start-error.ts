/** Why the stack cannot start, as one message that its user can act on. Exit code 2. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Node's code of a system error (`ENOENT`, `EACCES` ...), or an empty string. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** An error's message with that of its cause: fetch by itself says only "fetch failed". */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const below = error.cause instanceof Error ? error.cause.message || systemCode(error.cause) : '';
  return below === '' || error.message.includes(below) ? error.message : `${error.message}: ${below}`;
}
