/** A sandbox for a test file, and its card processor as a client over HTTP. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../server.js';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: JSON from outside; each test asserts the members that it reads
  readonly body: any;
}

export type ProcessorClient = Awaited<ReturnType<typeof startProcessor>>;

export async function startProcessor() {
  const home = await mkdtemp(join(tmpdir(), 'processor-'));
  const sandbox = await startSandbox({ home, httpPort: 0, smtpPort: 0 });
  let serial = 0;

  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(sandbox.url + path, init);
    return { status: response.status, body: await response.json() };
  };
  const fresh = (what: string) => `${what}-${++serial}`;
  const get = (path: string) => send(path, {});
  /** A money call. */
  const post = (path: string, key: string, body: unknown, signal?: AbortSignal) =>
    send(`/payments/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: signal ?? null,
    });
  const byHand = (path: string, body: unknown) => send(path, { method: 'POST', body: JSON.stringify(body) });
  const find = (key: string) => get(`/payments/operations?idempotencyKey=${key}`);
  const order = (token: string, reference = fresh('ord')) => ({ token, amount: 1999, currency: 'USD', reference });

  const authorized = async (token: string): Promise<string> => {
    const { status, body } = await post('authorize', fresh('a'), order(token));
    if (status !== 201) throw new Error(`the authorization was answered with ${status}`);
    return body.authorizationId;
  };
  const captured = async (token: string): Promise<string> => {
    const id = await authorized(token);
    const { status } = await post(`${id}/capture`, fresh('c'), { amount: 1999 });
    if (status !== 200) throw new Error(`the capture was answered with ${status}`);
    return id;
  };
  /** The processor's books of one authorization. */
  const books = async (id: string) => (await get(`/payments/${id}`)).body;
  const close = async () => {
    await sandbox.close();
    await rm(home, { recursive: true });
  };
  return { fresh, get, post, byHand, find, order, authorized, captured, books, close };
}
