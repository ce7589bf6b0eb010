/** Runs the command line, in this process or like a shell. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { main } from '../../../cli/main.js';
import { projectRoot } from '../../../dev/home/paths.js';

export const bin = join(projectRoot, 'cli/bin.mjs');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

type Env = Readonly<Record<string, string>>;

/** The settings that name the stack of the test run. */
const ofTheRun = () => ({ HOLDFAST_API_URL: inject('apiUrls')[0] ?? '', HOLDFAST_API_KEY: inject('apiKey') });

export const version: string = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).version;

/**
 * `holdfast <args>` against the stack of the test run, in this process: starting one takes longer than most commands.
 * @param env overrides the settings that name that stack
 */
export async function holdfast(args: readonly string[], env: Env = {}): Promise<Ended> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    interactive: false,
  };
  const around = { currentFolder: process.cwd(), projectRoot, version, terminal };
  try {
    const code = await main(args, { ...around, env: { ...process.env, ...ofTheRun(), ...env } });
    return { code, out, err };
  } catch (error) {
    // As cli/bin.mjs does.
    return { code: 2, out, err: `${err}holdfast: ${error instanceof Error ? error.message : error}\n` };
  }
}

/** `holdfast <args>` against this stack, in a process of its own. */
export function holdfastAt(
  { apiUrl, apiKey }: { readonly apiUrl: string; readonly apiKey: string },
  args: readonly string[],
): Promise<Ended> {
  return spawned(args, { HOLDFAST_API_URL: apiUrl, HOLDFAST_API_KEY: apiKey });
}

/** The same in a process of its own, like a shell. */
export function holdfastProcess(args: readonly string[], env: Env = {}): Promise<Ended> {
  return spawned(args, { ...ofTheRun(), ...env });
}

function spawned(args: readonly string[], env: Env): Promise<Ended> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...env } });
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
