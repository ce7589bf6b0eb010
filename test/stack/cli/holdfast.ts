/** Runs the real command like a shell. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

export const bin = join(dirname(fileURLToPath(import.meta.url)), '../../../cli/bin.mjs');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `holdfast <args>` against the stack of the test run. `env` overrides the settings that name that stack. */
export function holdfast(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return holdfastAt({ apiUrl: inject('apiUrls')[0] ?? '', apiKey: inject('apiKey') }, args, env);
}

/** `holdfast <args>` against this stack. */
export function holdfastAt(
  { apiUrl, apiKey }: { readonly apiUrl: string; readonly apiKey: string },
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const stack = { HOLDFAST_API_URL: apiUrl, HOLDFAST_API_KEY: apiKey };
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...stack, ...env } });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    child.on('error', fail);
    child.on('close', (code) => done({ code, out, err }));
  });
}

/** The value of one printed field, as in `status  confirmed`. */
export function field(printed: string, name: string): string | undefined {
  return new RegExp(`^${name} +(.*)$`, 'm').exec(printed)?.[1];
}
