/**
 * Prometheus' own check of our rules. promtool is taken from the path, else from Debian's package `prometheus`, which is
 * unpacked and not installed: 2 s. Built from its sources it takes a quarter of an hour.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, type TestContext, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';

const run = promisify(execFile);
const folder = join(projectRoot, 'deploy/prometheus');
/** Kept between runs. */
const cache = join(homedir(), '.cache/holdfast/promtool');
const withinMs = 120_000;

let promtool: { readonly path: string } | { readonly missing: string };

beforeAll(async () => {
  promtool = await find();
}, withinMs + 10_000);

async function find(): Promise<typeof promtool> {
  const unpacked = join(cache, 'usr/bin/promtool');
  for (const path of ['promtool', unpacked]) if (await works(path)) return { path };
  for (const tool of ['apt-get', 'dpkg-deb'])
    if (!(await works(tool))) return { missing: `promtool is not installed, and there is no ${tool}` };
  try {
    await unpackPackage();
  } catch (error) {
    return { missing: `the package could not be fetched: ${error instanceof Error ? error.message : String(error)}` };
  }
  await access(unpacked);
  return { path: unpacked };
}

const works = (path: string) =>
  run(path, ['--version']).then(
    () => true,
    () => false,
  );

/** Unpacks the package beside the cache, and moves it there when it is whole. */
async function unpackPackage(): Promise<void> {
  await mkdir(join(cache, '..'), { recursive: true });
  const temporary = await mkdtemp(`${cache}-`);
  const options = { cwd: temporary, timeout: withinMs };
  try {
    const download = () => run('apt-get', ['download', 'prometheus'], options);
    // A fresh machine has no lists of packages yet.
    await download().catch(async () => {
      await run('apt-get', ['update'], options);
      await download();
    });
    const [name = ''] = (await readdir(temporary)).filter((file) => file.endsWith('.deb'));
    await run('dpkg-deb', ['-x', name, 'unpacked'], options);
    await rm(cache, { recursive: true, force: true });
    await rename(join(temporary, 'unpacked'), cache);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function said(context: TestContext, ...args: string[]): Promise<string> {
  if ('missing' in promtool) return context.skip(promtool.missing);
  return (await run(promtool.path, args, { cwd: folder })).stdout;
}

test('promtool accepts the rules', async (context) => {
  expect(await said(context, 'check', 'rules', 'holdfast.rules.yml')).toMatch(/SUCCESS: \d+ rules found/);
});

test('every alert fires exactly when it should', async (context) => {
  expect(await said(context, 'test', 'rules', 'holdfast.rules.test.yml')).toContain('SUCCESS');
});
