import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sharedShop } from '../../shared.js';
import { bin, field, holdfast, holdfastProcess, version } from './holdfast.js';

const shop = sharedShop();

describe('holdfast stock', () => {
  it('adds goods, and shows their locations, their holds and past stock', async () => {
    const sku = await shop.product(0);
    const added = await holdfast(['stock', 'add', sku, '7', '--reference', 'PO-1']);
    expect(added).toMatchObject({ code: 0, err: '' });
    expect(field(added.out, 'received')).toBe(`7 of ${sku} at main`);
    expect(field(added.out, 'on hand')).toBe('7');
    const orderId = await shop.reserved(sku, 2);

    const shown = await holdfast(['stock', 'show', sku]);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toMatch(/^main +7 +2 +5$/m);
    expect(shown.out).toMatch(/^total +7 +2 +5$/m);
    expect(shown.out).toMatch(new RegExp(`^rsv_\\w+ +2 +main +\\S+ \\S+ +${orderId}$`, 'm'));

    const before = await holdfast(['stock', 'show', sku, '--at', '2020-01-01T00:00:00Z']);
    expect(before.code).toBe(0);
    expect(before.out).toMatch(/^total +0 +0 +0$/m);
  });

  it('lists products page by page', async () => {
    const sku = await shop.product(3);
    let args = ['stock', 'list', '--limit', '200'];
    for (;;) {
      const page = await holdfast(args);
      expect(page).toMatchObject({ code: 0, err: '' });
      if (new RegExp(`^${sku} +3 +0 +3 +0$`, 'm').test(page.out)) break;
      const [, cursor] = /^more: --cursor (.*)$/m.exec(page.out) ?? [];
      expect(cursor).toBeDefined();
      args = ['stock', 'list', '--limit', '200', '--cursor', cursor ?? ''];
    }
  });

  it('says that a product does not exist, and exits 1', async () => {
    const refused = await holdfast(['stock', 'show', 'no-such-sku']);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/^not_found: /);
  });
});

describe('holdfast reservations expire', () => {
  it('releases expired holds', async () => {
    const sku = await shop.product(5);
    await shop.must(201, shop.post('/api/reservations', { sku, quantity: 5, expiresInSeconds: 1 }));
    await sleep(1100);
    const ended = await holdfast(['reservations', 'expire']);
    expect(ended, ended.out).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toMatch(/^expired: \d+\n$/);
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 0, available: 5 });
  });
});

describe('holdfast keys', () => {
  it('creates a key that works within its scopes until it is revoked', async () => {
    const sku = await shop.product(1);
    const made = await holdfast(['keys', 'create', '--name', 'reader', '--scope', 'inventory:read', 'orders:read']);
    expect(made).toMatchObject({ code: 0, err: '' });
    const id = field(made.out, 'id') ?? '';
    const env = { HOLDFAST_API_KEY: field(made.out, 'key') ?? '' };

    expect(await holdfast(['stock', 'show', sku], env)).toMatchObject({ code: 0, err: '' });
    const refused = await holdfast(['stock', 'add', sku, '1'], env);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/^forbidden: /);
    const listed = await holdfast(['keys', 'list']);
    expect(listed.out).toMatch(
      new RegExp(`^${id} +reader +\\S+ \\S+ +api_key:\\S+ +- +- +inventory:read orders:read$`, 'm'),
    );
    expect(listed.out).not.toContain(env.HOLDFAST_API_KEY);

    expect(field((await holdfast(['keys', 'revoke', id])).out, 'revoked')).toMatch(/^\d{4}-/);
    const after = await holdfast(['stock', 'show', sku], env);
    expect(after).toMatchObject({ code: 1, out: '' });
    expect(after.err).toMatch(/^unauthorized: /);
  });

  it('refuses a scope that does not exist', async () => {
    const refused = await holdfast(['keys', 'create', '--name', 'x', '--scope', 'everything']);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^validation_failed: .*\n {2}\/scopes\/0 {2}/);
  });
});

describe('holdfast verify', () => {
  it('reports that ledger, levels and holds agree', async () => {
    await shop.reserved(await shop.product(3), 2);
    const found = await holdfast(['verify']);
    expect(found).toMatchObject({ code: 0, err: '' });
    expect(found.out).toMatch(/^clean: the ledger, the levels and the open holds agree \(\d+ levels\)\n$/);
    const shown = JSON.parse((await holdfast(['verify', '--json'])).out);
    expect(shown).toMatchObject({ status: 'completed', clean: true, differences: [] });
    expect(shown.checked).toBe(shown.total);
  });

  it('exits 1 and prints each difference if the API finds any', async () => {
    // The stack is shared, so its stock must stay right. The answer comes from a test server.
    const differences = [{ sku: 'A', location: 'main', what: 'onHand', expected: 5, found: 6 }];
    const shown = { id: 'ver_1', total: 3, differenceCount: 1, differences, clean: false };
    const running = JSON.stringify({ ...shown, status: 'running', checked: 1 });
    const completed = JSON.stringify({ ...shown, status: 'completed', checked: 3 });
    const server = createServer((req, res) => res.end(req.method === 'POST' ? running : completed));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const env = { HOLDFAST_API_URL: `http://127.0.0.1:${port}` };
    const told = await holdfast(['verify'], env);
    const json = await holdfast(['verify', '--json'], env);
    server.close();
    expect(told).toEqual({
      code: 1,
      out: '1 difference in 3 levels\n\nSKU  LOCATION  WHAT    EXPECTED  FOUND\nA    main      onHand         5      6\n',
      err: '',
    });
    expect(json).toEqual({ code: 1, out: `${completed}\n`, err: '' });
  });
});

describe('holdfast reviews', () => {
  it('lists reviews, and says that one does not exist', async () => {
    expect(await holdfast(['reviews', 'list', '--status', 'all'])).toMatchObject({ code: 0, err: '' });
    const refused = await holdfast(['reviews', 'resolve', 'rev_none', '--resolution', 'done', '--note', 'seen']);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/^not_found: /);
  });
});

describe('how the command ends', () => {
  let empty: string;
  beforeAll(() => {
    empty = mkdtempSync(join(tmpdir(), 'cli-empty-'));
  });
  afterAll(() => rmSync(empty, { recursive: true }));

  it.each([
    [['orders']],
    [['stock', 'add', 'A']],
    [['stock', 'add', 'A', '0']],
    [['order', 'create', '--line', 'A']],
    [['order', 'create', '--line', 'A:1', '--wait', '31']],
    [['order', 'create', '--line', 'A:1', '--backup-card', 'tok_visa']],
    [['reviews', 'resolve', 'rev_1', '--resolution', 'maybe', '--note', 'x']],
    [['keys', 'create', '--name', 'x']],
  ])('exits 2 for %j', async (args) => {
    const ended = await holdfast(args);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).not.toMatch(/^\s+at /m);
  });

  it('exits 3 with one line if the API cannot be reached', async () => {
    const ended = await holdfastProcess(['stock', 'list'], { HOLDFAST_API_URL: 'http://127.0.0.1:9' });
    expect(ended).toMatchObject({ code: 3, out: '' });
    expect(ended.err).toMatch(/^holdfast: cannot reach the API at http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\).*\n$/);
  });

  it('exits 3 with one line if no stack runs', async () => {
    const env = { HOLDFAST_API_URL: '', HOLDFAST_API_KEY: '', HOLDFAST_HOME: empty };
    const ended = await holdfast(['stock', 'list'], env);
    expect(ended).toMatchObject({ code: 3, out: '' });
    expect(ended.err).toMatch(/^holdfast: cannot reach the API: no stack runs here .*npm start.*\n$/);
  });

  it.each([
    [['ordr', 'list'], 'order'],
    [['order', 'crate'], 'create'],
    [['help', 'order', 'crate'], 'create'],
    [['order', 'create', '--lines', 'A:1'], '--line'],
  ])('suggests what %j may have meant', async (args, meant) => {
    const ended = await holdfast(args);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain(`(Did you mean ${meant}?)`);
  });

  it('does not take a mistyped transfer command for a SKU', async () => {
    const ended = await holdfast(['transfer', 'recieve', 'trf_1']);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/^error: unknown command 'recieve' .*receive/);
  });

  it('ends silently and normally if its reader has gone', async () => {
    for (const [args, code] of [
      [['stock', 'list', '--limit', '200'], 0],
      [['order', 'show', 'ord_none', '--json'], 1],
    ] as const) {
      const stack = { HOLDFAST_API_URL: inject('apiUrls')[0] ?? '', HOLDFAST_API_KEY: inject('apiKey') };
      const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...stack } });
      child.stdout.destroy();
      let err = '';
      child.stderr.on('data', (chunk) => (err += chunk));
      expect(await new Promise((done) => child.once('close', done))).toBe(code);
      expect(err).toBe('');
    }
  });

  it('prints its version', async () => {
    expect(await holdfastProcess(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it('shows the same help three ways, with an example', async () => {
    const help = await holdfast(['help', 'order', 'create']);
    expect(help).toMatchObject({ code: 0, err: '', out: expect.stringContaining('$ holdfast order create --line') });
    expect(await holdfast(['order', 'create', '--help'])).toEqual(help);
    expect(await holdfast(['order', 'help', 'create'])).toEqual(help);
    const product = await holdfast(['help', 'product', 'create']);
    expect(product.out).toMatch(/Options:\n +--name .*\(required\)\n +--price .*\n?.*\(required\)\n/);
    expect((await holdfast(['help'])).out).toBe((await holdfast(['--help'])).out);
  });

  it('exits 0 for --help', async () => {
    const ended = await holdfast(['order', 'create', '--help']);
    expect(ended, ended.out).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toContain('--idempotency-key');
  });
});
