/** The sandbox as a separate process, for tests that kill it. Each test has a home of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'vitest';

export interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly smtpPort: number;
}

/** The processor's record of one payment, as `GET /payments` shows it. */
export interface Booked {
  readonly authorizationId: string;
  readonly reference: string;
  readonly captured: number;
  readonly calls: readonly unknown[];
}

/** Each test starts processes, possibly on a busy machine. */
export const startsProcesses = { timeout: 60_000 };

export const sandboxMain = fileURLToPath(new URL('main.ts', import.meta.url));

/** Makes a home before each test of the file. Removes it afterwards, with the processes that the test has left. */
export function sandboxProcesses() {
  let home = '';
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'sandbox-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(home, { recursive: true });
  });
  return {
    get home() {
      return home;
    },
    /** @param maxFileBytes the limit of its files: a write beyond it fails as on a full disk */
    start: async (maxFileBytes?: number): Promise<Running> => {
      const node = [process.execPath, '--import', 'tsx', sandboxMain];
      const limit = maxFileBytes === undefined ? [] : ['prlimit', `--fsize=${maxFileBytes}:unlimited`];
      const [command = '', ...args] = [...limit, ...node];
      const child = spawn(command, args, {
        env: { ...process.env, SANDBOX_HOME: home, SANDBOX_HTTP_PORT: '0', SANDBOX_SMTP_PORT: '0' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      const [line] = await once(createInterface({ input: child.stdout }), 'line');
      return { child, ...json<{ url: string; smtpPort: number }>(line) };
    },
  };
}

export async function kill({ child }: Pick<Running, 'child'>): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** A call of the processor's own API. */
export async function post(url: string, path: string, key: string, body: unknown) {
  const response = await fetch(`${url}/payments/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });
  const { authorizationId } = json<{ authorizationId: string }>(await response.text());
  return { status: response.status, authorizationId };
}

export const json = <T>(text: string): T => JSON.parse(text);
export const books = async (url: string) => json<Booked[]>(await (await fetch(`${url}/payments`)).text());
export const order = (token: string, reference: string) => ({ token, amount: 700, currency: 'EUR', reference });
