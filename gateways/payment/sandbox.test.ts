/** What the sandbox's client does where its server answers too much. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSandboxPayments } from './sandbox.js';

const asked: string[] = [];
const server = createServer((req, res) => {
  const limit = new URL(req.url ?? '', 'http://sandbox').searchParams.get('limit') ?? '';
  asked.push(limit);
  // What is on a page of 100 does not fit into an answer.
  const padding = limit === '100' ? 'x'.repeat(300_000) : '';
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ items: [], nextCursor: 'next', until: '2026-11-28T10:00:00.000Z', padding }));
});
beforeAll(() => new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening)));
afterAll(() => new Promise((closed) => server.close(closed)));

test('a page of changes that is longer than an answer may be is asked for in short pages', async () => {
  const { port } = server.address() as AddressInfo;
  const payments = createSandboxPayments({ baseUrl: `http://127.0.0.1:${port}`, timeoutMs: 5000 });
  const page = await payments.changes({ since: '2026-11-28T09:00:00.000Z', cursor: null });
  await payments.close();
  expect(page).toEqual({ books: [], events: [], cursor: 'next', until: '2026-11-28T10:00:00.000Z' });
  expect(asked).toEqual(['100', '5']);
});
