import { createServer, type Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { main } from '../main.js';

let server: Server | undefined;
afterEach(() => new Promise((closed) => (server ? server.close(closed) : closed(undefined))));

/** Runs `holdfast verify` against a server that gives these answers in turn. */
async function verify(...answers: readonly object[]) {
  let next = 0;
  const listening = createServer((_, res) => res.end(JSON.stringify({ ...verification, ...answers[next++] })));
  server = listening;
  await new Promise<void>((ready) => listening.listen(0, '127.0.0.1', ready));
  const address = listening.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(['verify'], {
    env: { HOLDFAST_API_URL: `http://127.0.0.1:${port}`, HOLDFAST_API_KEY: 'k' },
    currentFolder: '/',
    projectRoot: '/',
    version: '0.0.0',
    terminal: { out: (text) => void out.push(text), err: (text) => void err.push(text), interactive: false },
  });
  return { code, out: out.join(''), err: err.join('') };
}

const verification = { id: 'ver_1', total: 3, checked: 3, differenceCount: 0, differences: [], clean: null };
const waiting = { status: 'running', total: 0, checked: 0 };

it('says that no worker has taken the verification, and when one has', async () => {
  const ended = await verify(waiting, waiting, { status: 'running', checked: 1 }, { status: 'completed', clean: true });
  expect(ended).toEqual({
    code: 0,
    out: 'clean: the ledger, the levels and the open holds agree (3 levels)\n',
    err: 'holdfast: waiting: no worker has taken the verification yet\nholdfast: verifying: 1 of 3 levels\n',
  });
});

it('says nothing besides its result when a worker takes it at once', async () => {
  const ended = await verify({ status: 'running', checked: 1 }, { status: 'completed', clean: true });
  expect(ended).toMatchObject({ code: 0, err: '' });
});
