/** DNS rebinding: over raw HTTP, since fetch sets Host itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from './server.js';

let home: string;
let sandbox: Sandbox;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'hosts-'));
  sandbox = await startSandbox({ home, host: '0.0.0.0', httpPort: 0, smtpPort: 0, allowedHosts: ['sandbox'] });
});
afterAll(async () => {
  await sandbox.close();
  await rm(home, { recursive: true });
});

async function ask(headers: Record<string, string>, method = 'GET', url = `${sandbox.url}/payments`) {
  const response = await new Promise<IncomingMessage>((done, fail) => {
    request(url, { method, headers }, done).on('error', fail).end();
  });
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, body: JSON.parse(text) };
}

describe('the sandbox answers', () => {
  it.each(['localhost', 'LOCALHOST:3900', 'localhost.', '127.0.0.1:1', '[::1]:3900', 'sandbox:3900'])(
    'a request for %s',
    async (host) => {
      expect(await ask({ host })).toEqual({ status: 200, body: [] });
    },
  );

  it('a request for the address at which it arrived', async () => {
    const url = `${sandbox.url.replace('127.0.0.1', '127.9.8.7')}/payments`;
    expect(await ask({ host: '127.9.8.7:3900' }, 'GET', url)).toMatchObject({ status: 200 });
    expect(await ask({ host: '127.9.8.7:3900' })).toMatchObject({ status: 421 });
  });

  it('a page that was loaded from it', async () => {
    expect(await ask({ host: 'localhost', origin: 'http://localhost:3900' })).toMatchObject({ status: 200 });
  });
});

describe('the sandbox refuses', () => {
  it.each([
    'evil.example',
    'evil.example:3900',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example@localhost',
    'localhost/@evil.example',
    '192.0.2.1',
    'sandbox.evil.example',
  ])('a request for %s, with 421 and the reason', async (host) => {
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect(await ask({ host }, method)).toEqual({
        status: 421,
        body: { error: { code: 'host_not_allowed', detail: expect.stringContaining('SANDBOX_ALLOWED_HOSTS') } },
      });
  });

  it.each(['http://evil.example', 'https://localhost.evil.example', 'null'])('a page of %s', async (origin) => {
    expect(await ask({ host: 'localhost', origin })).toMatchObject({ status: 421 });
  });
});
