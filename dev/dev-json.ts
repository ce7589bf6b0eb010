/** `dev.json`: what a program must know to use a running stack. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** The pids of the servers; while one is down, the pid that it had. Null where a server runs elsewhere. */
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
  /** Null where Temporal runs elsewhere. */
  readonly temporalUiUrl: string | null;
  readonly databaseUrl: string;
  readonly sandboxUrl: string;
  readonly pids: StackPids;
}

/** Readers see the old file or the new one, never a half. */
export function writeDevJson(file: string, content: DevJson): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removeDevJson(file: string): void {
  rmSync(file, { force: true });
}
