import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { main } from '../../../cli/main.js';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { bin, field, holdfast, holdfastProcess } from './holdfast.js';

const shop = sharedShop();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-bulk-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(lines: readonly string[], head = 'operation,sku,quantity,location,reservationId'): string {
  const path = join(folder, `${randomUUID()}.csv`);
  writeFileSync(path, [head, ...lines, ''].join('\n'));
  return path;
}

/** `holdfast bulk --file <source>` with the file at `path` as its standard input, redirected or piped. */
async function fromInput(source: string, input: 'inherit' | 'pipe', path: string, ...more: readonly string[]) {
  const stack = { HOLDFAST_API_URL: inject('apiUrls')[0] ?? '', HOLDFAST_API_KEY: inject('apiKey') };
  const file = openSync(path, 'r');
  const child = spawn(process.execPath, [bin, 'bulk', '--file', source, ...more], {
    cwd: folder,
    env: { ...process.env, ...stack },
    stdio: [input === 'inherit' ? file : 'pipe', 'pipe', 'pipe'],
  });
  closeSync(file);
  child.stdin?.end(readFileSync(path));
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk) => (out += chunk));
  child.stderr?.on('data', (chunk) => (err += chunk));
  const code = await new Promise((done) => child.once('close', done));
  return { code, out, err };
}

const resultsOf = (path: string) => readFileSync(`${path}.results.csv`, 'utf8').trimEnd().split('\n');

describe('holdfast suppliers', () => {
  it('adds, shows, lists, changes and switches off', async () => {
    const id = `sup-${randomUUID()}`;
    const made = await holdfast([
      'suppliers',
      'create',
      '--id',
      id,
      '--name',
      'Beans Ltd',
      '--min',
      '5',
      '--max',
      '50',
    ]);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(field(made.out, 'one order')).toBe('5 to 50');
    expect((await holdfast(['suppliers', 'list'])).out).toMatch(new RegExp(`^${id} +Beans Ltd +yes +5 +50 +-$`, 'm'));
    const changed = await holdfast(['suppliers', 'update', id, '--inactive', '--max', '60']);
    expect(field(changed.out, 'active')).toBe('no');
    expect(field((await holdfast(['suppliers', 'show', id])).out, 'one order')).toBe('5 to 60');
    expect(field((await holdfast(['suppliers', 'update', id, '--active'])).out, 'active')).toBe('yes');
    const refused = await holdfast(['suppliers', 'update', id, '--min', '61']);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^validation_failed: .*\n {2}\/maxOrderQuantity {2}/);
    expect((await holdfast(['suppliers', 'show', 'nobody'])).err).toMatch(/^not_found: /);
  });
});

describe('holdfast bulk', () => {
  it('applies a file of operations and writes their results next to it', async () => {
    const sku = await shop.product(150);
    const path = fileOf([
      ...Array.from({ length: 149 }, () => `consume,${sku},1,main,`),
      `reserve,${sku},1,,`,
      `consume,${sku},1,,`,
    ]);
    const ended = await holdfast(['bulk', '--file', path]);
    expect(ended).toMatchObject({ code: 1, err: '' });
    expect(ended.out).toMatch(/^operations +151\nsucceeded +150\nfailed +1\nresumed +0\n/);
    const [head, ...results] = resultsOf(path);
    expect(head).toMatch(/^line,operation,sku,quantity,location,reservationId,success,onHand,/);
    expect(results).toHaveLength(151);
    expect(results[0]).toMatch(new RegExp(`^2,consume,${sku},1,main,,true,149,0,149,,,`));
    expect(results[149]).toMatch(new RegExp(`^151,reserve,${sku},1,,rsv_\\w+,true,1,1,0,,,`));
    expect(results[150]).toMatch(
      new RegExp(`^152,consume,${sku},1,,,false,,,,insufficient_stock,"insufficient stock: available=0, requested=1",`),
    );
    expect(await shop.stock(sku)).toEqual({ onHand: 1, reserved: 1, available: 0 });
  });

  it('resumes a run that was killed, and does nothing twice', async () => {
    const sku = await shop.product(6000);
    const path = fileOf(Array.from({ length: 6000 }, () => `consume,${sku},1,,`));
    const env = { ...process.env, HOLDFAST_API_URL: inject('apiUrls')[0] ?? '', HOLDFAST_API_KEY: inject('apiKey') };
    const child = spawn(process.execPath, [bin, 'bulk', '--file', path], { env, stdio: 'ignore' });
    const written = () => (existsSync(`${path}.results.csv`) ? resultsOf(path).length - 1 : 0);
    await eventually('some of it to be done', async () => written() >= 300);
    child.kill('SIGKILL');
    await new Promise((done) => child.once('exit', done));
    const before = written() - (written() % 100);
    expect(before).toBeLessThan(6000);

    // As if it had broken off in the middle of writing, before reading the answers of the last batches.
    const kept = resultsOf(path).slice(0, 250).join('\n');
    writeFileSync(`${path}.results.csv`, kept.slice(0, -7));
    const ended = await holdfast(['bulk', '--file', path, '--json']);
    expect(ended, ended.out).toMatchObject({ code: 0, err: '' });
    const { resumed, ...summary } = JSON.parse(ended.out);
    expect(summary).toMatchObject({ operations: 6000, succeeded: 6000, failed: 0, run: 'default', alreadyDone: false });
    // Batches that the killed command had sent: at most one more than it had written.
    expect(resumed).toBeGreaterThanOrEqual(before);
    expect(resumed).toBeLessThanOrEqual(before + 100);
    const lines = resultsOf(path)
      .slice(1)
      .map((line) => Number(line.split(',')[0]));
    expect(lines).toEqual(Array.from({ length: 6000 }, (_, index) => index + 2));
    expect(await shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });

    const again = await holdfast(['bulk', '--file', path]);
    expect(again.out).toMatch(/^already done in run default: /);
    expect(field(again.out, 'resumed')).toBe('6000');
    expect(await shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
  });

  it('says that content is already done, even from another path, and repeats it only as a new run', async () => {
    const sku = await shop.product(3);
    const path = fileOf([`consume,${sku},1,,`]);
    const copy = fileOf([`consume,${sku},1,,`]);
    const first = await holdfast(['bulk', '--file', path]);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).not.toContain('already done');
    for (const file of [path, copy]) {
      const again = await holdfast(['bulk', '--file', file]);
      expect(again).toMatchObject({ code: 0, err: '' });
      expect(again.out).toMatch(/^already done in run default: .*\n(.*\n)*.*--run <name>/);
    }
    expect((await shop.stock(sku)).onHand).toBe(2);

    for (const [day, onHand] of [
      ['2026-11-27', 1],
      ['2026-11-28', 0],
    ] as const) {
      const daily = await holdfast(['bulk', '--file', path, '--run', day]);
      expect(daily).toMatchObject({ code: 0, err: '' });
      expect(field(daily.out, 'results')).toBe(`${path}.${day}.results.csv`);
      const again = await holdfast(['bulk', '--file', path, '--run', day]);
      expect(again.out).toMatch(new RegExp(`^already done in run ${day}: `));
      expect((await shop.stock(sku)).onHand).toBe(onHand);
    }
  });

  it('reads operations from standard input, prints their results, and writes no file', async () => {
    const sku = await shop.product(3);
    const path = fileOf([`consume,${sku},1,,`]);
    for (const [source, input] of [
      ['-', 'inherit'],
      ['/dev/stdin', 'inherit'],
      ['-', 'pipe'],
    ] as const) {
      const { code, out, err } = await fromInput(source, input, path);
      expect({ code, err }).toMatchObject({ code: 0, err: expect.stringMatching(/^operations +1$/m) });
      expect(out).toMatch(/^line,operation,.*\n2,consume,.*,true,2,0,2,.*\n$/);
      // The first run applies it. The content is the same, however it arrives.
      expect(err.includes('already done in run default')).toBe(!(source === '-' && input === 'inherit'));
    }
    expect((await shop.stock(sku)).onHand).toBe(2);
    expect(readdirSync(folder).filter((name) => path.endsWith(name.slice(0, 40)))).toEqual([basename(path)]);
    expect(existsSync('/dev/stdin.results.csv')).toBe(false);

    const { out } = await fromInput('-', 'pipe', path, '--json');
    expect(JSON.parse(out)).toMatchObject({
      alreadyDone: true,
      results: null,
      lines: [{ line: 2, sku, success: true, onHand: 2, code: null }],
    });
    await fromInput('-', 'pipe', path, '--results', `${path}.kept`);
    expect(readFileSync(`${path}.kept`, 'utf8').split('\n')).toHaveLength(3);
  });

  it('reports what is wrong in a file before it does anything', async () => {
    const sku = await shop.product(5);
    const path = fileOf([`consume,${sku},1,,`, `steal,${sku},1,,`, `release,${sku},1,,`, `consume,${sku},0,,`]);
    const ended = await holdfast(['bulk', '--file', path]);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/line 3: .*\n.*line 4: a release needs a reservationId.*\n.*line 5: the quantity/);
    expect((await holdfast(['bulk', '--file', fileOf([], 'sku,count')])).err).toMatch(/must name the columns/);
    expect((await holdfast(['bulk', '--file', join(folder, 'none.csv')])).err).toMatch(/there is no file/);
    expect(await holdfastProcess(['bulk', '--file', folder])).toMatchObject({
      code: 2,
      err: `holdfast: ${folder} is a folder\n`,
    });
    const endless = await holdfast(['bulk', '--file', '/dev/zero']);
    expect(endless).toMatchObject({ code: 2, err: 'holdfast: /dev/zero is larger than 64 MiB: split it\n' });
    expect((await shop.stock(sku)).onHand).toBe(5);
  });

  it('shows its progress on a terminal, and counts what an earlier run has done', async () => {
    const sku = await shop.product(300);
    const path = fileOf(Array.from({ length: 250 }, () => `consume,${sku},1,,`));
    const shown = async () => {
      const drawn: string[] = [];
      const code = await main(['bulk', '--file', path], {
        env: { HOLDFAST_API_URL: inject('apiUrls')[0], HOLDFAST_API_KEY: inject('apiKey') },
        currentFolder: folder,
        projectRoot: folder,
        version: '0.0.0',
        terminal: { out: () => undefined, err: (text) => void drawn.push(text), interactive: true },
      });
      expect(code).toBe(0);
      return drawn.map((text) => / (\d+\/\d+) operations$/.exec(text)?.[1] ?? text);
    };
    const clean = '\r\u{1b}[K';
    expect(await shown()).toEqual(['100/250', '200/250', clean]);
    writeFileSync(`${path}.results.csv`, `${resultsOf(path).slice(0, 101).join('\n')}\n`);
    expect(await shown()).toEqual(['100/250', '200/250', clean]);
    expect(await shop.stock(sku)).toEqual({ onHand: 50, reserved: 0, available: 50 });
  });
});
