import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../main.js';

/** How a server answers one batch of so many operations. */
type Turn = (res: ServerResponse, operations: number) => void;

const results = (operations: number) =>
  Array.from({ length: operations }, () => ({ success: true, result: { onHand: 1, reserved: 0, available: 1 } }));
const done =
  (headers: Record<string, string> = {}): Turn =>
  (res, operations) =>
    res.writeHead(200, headers).end(JSON.stringify({ results: results(operations) }));
const problem =
  (status: number, code: string, headers: Record<string, string> = {}): Turn =>
  (res) =>
    res.writeHead(status, headers).end(JSON.stringify({ code, detail: 'no' }));

let folder: string;
let file: string;
let server: Server | undefined;
let seen: { key: string; at: number }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulk-send-'));
  file = join(folder, 'operations.csv');
  writeFileSync(file, `operation,sku,quantity\n${'consume,A,1\n'.repeat(250)}`);
  seen = [];
});
afterEach(async () => {
  await new Promise((closed) => (server ? server.close(closed) : closed(undefined)));
  server = undefined;
  rmSync(folder, { recursive: true });
});

/** Runs `holdfast bulk` against a server that plays these turns in order and repeats the last one. */
async function bulk(turns: readonly Turn[], ...more: readonly string[]) {
  const first = seen.length;
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const body = await text(req);
    const turn = turns[Math.min(seen.length - first, turns.length - 1)];
    seen.push({ key: String(req.headers['idempotency-key']), at: Date.now() });
    turn?.(res, JSON.parse(body).operations.length);
  };
  const listening = createServer((req, res) => void answer(req, res));
  server?.close();
  server = listening;
  await new Promise<void>((ready) => listening.listen(0, '127.0.0.1', ready));
  const address = listening.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(['bulk', '--file', file, ...more], {
    env: { HOLDFAST_API_URL: `http://127.0.0.1:${port}`, HOLDFAST_API_KEY: 'k' },
    currentFolder: folder,
    projectRoot: folder,
    version: '0.0.0',
    terminal: { out: (text) => void out.push(text), err: (text) => void err.push(text), interactive: false },
  });
  return { code, out: out.join(''), err: err.join(''), keys: seen.slice(first).map(({ key }) => key) };
}

const linesOf = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n').length;

describe('holdfast bulk', () => {
  it('waits as long as a 429 asks, says so, and sends the same batch again', async () => {
    const ended = await bulk([problem(429, 'rate_limited', { 'Retry-After': '2' }), done()]);
    expect(ended).toMatchObject({ code: 0, err: 'holdfast: too many requests; waiting 2 s, as the API asks\n' });
    expect(ended.keys[1]).toBe(ended.keys[0]);
    expect(new Set(ended.keys).size).toBe(3);
    expect((seen[1]?.at ?? 0) - (seen[0]?.at ?? 0)).toBeGreaterThanOrEqual(1950);
  });

  it('stops after the batch in flight when it is interrupted; the same command resumes the run', async () => {
    const interrupted = await bulk([
      done(),
      (res, operations) => {
        process.emit('SIGINT');
        done()(res, operations);
      },
    ]);
    expect(interrupted).toMatchObject({ code: 130, out: '' });
    expect(interrupted.err).toMatch(/stopping after the batch in flight.*\n.*200 of 250 operations have results/);
    expect(linesOf(`${file}.results.csv`)).toBe(201);
    const resumed = await bulk([done()]);
    expect(resumed).toMatchObject({ code: 0, err: '' });
    expect(resumed.out).toMatch(/^operations +250\nsucceeded +250\nfailed +0\nresumed +200\n/);
    expect(new Set([...interrupted.keys, ...resumed.keys]).size).toBe(3);
  });

  it('stops waiting when it is interrupted', async () => {
    const soon: Turn = (res, operations) => {
      setTimeout(() => process.emit('SIGINT'), 50);
      problem(429, 'rate_limited', { 'Retry-After': '3600' })(res, operations);
    };
    expect(await bulk([done(), soon])).toMatchObject({ code: 130, err: expect.stringContaining('100 of 250') });
  });

  it('says that the API has done all of it already, and how to do it again', async () => {
    const replayed = done({ 'Idempotency-Replayed': 'true' });
    const ended = await bulk([replayed]);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toMatch(/^already done in run default: .*\n(.*\n)*resumed +250\n(.*\n)*.*--run <name>/);
    const json = await bulk([replayed], '--json');
    expect(json.keys).toEqual([]);
    expect(JSON.parse(json.out)).toMatchObject({ operations: 250, resumed: 250, run: 'default', alreadyDone: true });
  });

  it('counts the operations that the API had already done', async () => {
    const ended = await bulk([done({ 'Idempotency-Replayed': 'true' }), done()]);
    expect(ended.out).toMatch(/^operations +250\nsucceeded +250\nfailed +0\nresumed +100\n/);
  });

  it('sends nothing if it cannot keep the results', async () => {
    const ended = await bulk([done()], '--results', join(folder, 'none', 'results.csv'));
    expect(ended).toMatchObject({ code: 2, out: '', keys: [] });
    expect(ended.err).toMatch(/cannot keep results in .*none\/results\.csv .*Nothing was done/);
    expect(await bulk([done()], '--results', file)).toMatchObject({ code: 2, keys: [] });
    expect(linesOf(file)).toBe(251);
  });

  it('reports what the API refused and where the same command resumes', async () => {
    const ended = await bulk([done(), problem(403, 'forbidden')]);
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(ended.err).toBe(
      'forbidden: no\nholdfast: 100 of 250 operations have results; run the same command to resume\n',
    );
    // Named runs have results files of their own.
    expect(await bulk([done()], '--run', 'tuesday')).toMatchObject({ code: 0, err: '' });
    expect(existsSync(`${file}.tuesday.results.csv`)).toBe(true);
  });
});
