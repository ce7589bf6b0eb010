/** `dev.json`: what a program needs to use a running stack. */

/** The servers' pids. While a server is down, its last pid. Null if a server runs elsewhere. */
export interface StackPids {
  readonly stack: number;
  readonly api: number;
  readonly workers: readonly number[];
  readonly temporal: number | null;
  readonly postgres: number | null;
  readonly sandbox: number;
}

export interface DevJson {
  readonly apiUrl: string;
  /** Has every scope. */
  readonly apiKey: string;
  readonly consoleUrl: string | null;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  /** Null if Temporal runs elsewhere. */
  readonly temporalUiUrl: string | null;
  /** Absolute path of the `temporal` binary that the stack runs. Null if Temporal runs elsewhere. */
  readonly temporalCliPath: string | null;
  readonly databaseUrl: string;
  readonly sandboxUrl: string;
  readonly pids: StackPids;
}

export function devJsonText(content: DevJson): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}
