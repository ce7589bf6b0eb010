import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findTemporal } from '../../../dev/temporal/binary.js';
import { eventually } from '../../shop.js';
import { bin, holdfastProcess } from './holdfast.js';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'cli-temporal-'));
});
afterAll(() => rmSync(home, { recursive: true }));

function stackWith(members: object): void {
  writeFileSync(join(home, 'dev.json'), JSON.stringify({ apiUrl: 'http://x', apiKey: 'k', ...members }));
}

/** A program in place of Temporal's command line. */
function standIn(source: string): string {
  const path = join(home, 'temporal');
  writeFileSync(path, `#!${process.execPath}\n${source}`);
  chmodSync(path, 0o755);
  return path;
}

const here = () => ({ HOLDFAST_HOME: home, TEMPORAL_ADDRESS: '', TEMPORAL_NAMESPACE: '', TEMPORAL_CLI_PATH: '' });
const server = { temporalAddress: '127.0.0.1:7000', temporalNamespace: 'shop' };

describe('holdfast temporal', () => {
  it("runs Temporal's command line against the stack's server", async () => {
    const search = { env: process.env, say: () => undefined, signal: new AbortController().signal };
    const [temporalAddress, temporalNamespace] = [inject('temporalAddress'), inject('temporalNamespace')];
    stackWith({ temporalAddress, temporalNamespace, temporalCliPath: await findTemporal(search) });
    const counted = await holdfastProcess(
      ['temporal', 'workflow', 'count', '--query', 'ExecutionStatus="Running"'],
      here(),
    );
    expect(counted).toMatchObject({ code: 0, out: expect.stringMatching(/^Total: \d+$/m) });
    const refused = await holdfastProcess(
      ['temporal', 'workflow', 'describe', '--workflow-id', 'order/ord_none'],
      here(),
    );
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('not found') });
  });

  it('passes on arguments, input, output and exit code unchanged', async () => {
    const say = `const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = process.env;
      process.stdout.write(JSON.stringify({ args: process.argv.slice(2), address, namespace }));
      process.stderr.write('beside'); process.exitCode = 42;`;
    stackWith({ ...server, temporalCliPath: standIn(say) });
    const args = ['workflow', 'list', '--help', '--json', '--', '-x', ''];
    const ended = await holdfastProcess(['temporal', ...args], here());
    expect(ended).toMatchObject({ code: 42, err: 'beside' });
    expect(JSON.parse(ended.out)).toEqual({ args, address: '127.0.0.1:7000', namespace: 'shop' });

    const own = { ...here(), TEMPORAL_ADDRESS: 'elsewhere:7233', TEMPORAL_NAMESPACE: 'mine' };
    const elsewhere = JSON.parse((await holdfastProcess(['temporal'], own)).out);
    expect(elsewhere).toEqual({ args: [], address: 'elsewhere:7233', namespace: 'mine' });
    const profile = JSON.parse((await holdfastProcess(['temporal', '--profile', 'prod'], here())).out);
    expect(profile).toMatchObject({ address: '', namespace: '' });
  });

  it('leaves Ctrl-C to the program and ends when the program ends', async () => {
    const patient = `process.on('SIGINT', () => { process.stdout.write('bye'); process.exit(7); });
      setInterval(() => undefined, 1000); process.stdout.write('ready ');`;
    stackWith({ ...server, temporalCliPath: standIn(patient) });
    const child = spawn(process.execPath, [bin, 'temporal'], { env: { ...process.env, ...here() }, detached: true });
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    const ended = new Promise((done) => child.once('close', done));
    await eventually('the program to run', async () => out === 'ready ');
    // Like a terminal, to the whole process group.
    process.kill(-(child.pid ?? 0), 'SIGINT');
    expect(await ended).toBe(7);
    expect(out).toBe('ready bye');
  });

  it('says what is missing: a stack, a binary, or a binary that runs', async () => {
    rmSync(join(home, 'dev.json'), { force: true });
    expect(await holdfastProcess(['temporal'], here())).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringMatching(/^holdfast: .*no stack runs here .*TEMPORAL_CLI_PATH.*\n$/),
    });
    stackWith({ ...server, temporalCliPath: null });
    expect(await holdfastProcess(['temporal'], here())).toMatchObject({
      code: 2,
      err: expect.stringContaining('no temporalCliPath'),
    });
    stackWith({ ...server, temporalCliPath: join(home, 'none') });
    expect(await holdfastProcess(['temporal'], here())).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^holdfast: cannot run .*ENOENT\n$/),
    });
  });
});
