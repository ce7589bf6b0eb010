import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';

const copy = mkdtempSync(join(tmpdir(), 'holdfast-build-'));
const dist = join(copy, 'dist');
/** The test run's own build must not be used here. */
const { HOLDFAST_BUILD: _, ...env } = process.env;
const source = join(copy, 'domain/money.ts');

beforeAll(() => {
  const passedOver = new Set(['node_modules', 'dist', '.git', '.holdfast', 'coverage', 'docs']);
  for (const name of readdirSync(projectRoot))
    if (!passedOver.has(name)) cpSync(join(projectRoot, name), join(copy, name), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
  // Types are checked by `npm run check`. Here they would take most of the time of five builds.
  const config = join(copy, 'tsconfig.build.json');
  const { compilerOptions, ...others } = JSON.parse(readFileSync(config, 'utf8'));
  writeFileSync(config, JSON.stringify({ ...others, compilerOptions: { ...compilerOptions, noCheck: true } }));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Runs the build like `npm run build` and returns its output. */
async function build(): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['dev/build.mjs'], { cwd: copy, env });
  return stdout.trim();
}
const builds = () => readdirSync(dist).filter((name) => !name.startsWith('.'));
/** Makes builds look untouched for an hour. */
const age = () => {
  const hourAgo = new Date(Date.now() - 3_600_000);
  for (const name of builds()) utimesSync(join(dist, name), hourAgo, hourAgo);
};

test('two concurrent builds make one complete build, and the next one finds it', async () => {
  await Promise.all([build(), build()]);
  expect(readdirSync(dist)).toEqual(builds());
  expect(builds()).toHaveLength(1);
  const folder = join(dist, builds()[0] ?? '');
  expect(existsSync(join(folder, 'dev/main.js'))).toBe(true);
  expect(readFileSync(join(folder, 'workflow-bundle.js'), 'utf8')).toContain('holdfast');
  expect(await build()).toBe(`dist/${builds()[0]} is up to date`);
});

test('a change of the sources makes another build and keeps the one that a process uses', async () => {
  const [old = ''] = builds();
  // A program of the old build that runs until it is stopped.
  writeFileSync(join(dist, old, 'waits.js'), 'process.stdin.resume(); console.log("runs");');
  const user = spawn(process.execPath, ['dev/run.mjs', 'waits.js'], {
    cwd: copy,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(user.stdout, 'data');
  age();
  appendFileSync(source, '\nexport const changed = true;\n');
  await build();
  expect(builds()).toHaveLength(2);
  expect(existsSync(join(dist, old, 'dev/main.js'))).toBe(true);

  user.stdin.end();
  await once(user, 'exit');
  age();
  await build();
  expect(builds()).toHaveLength(1);
  expect(builds()).not.toContain(old);
});

test('a change of an SQL function makes another build with its own copy of the SQL', async () => {
  const name = 'db/functions/02_stock_answers.sql';
  appendFileSync(join(copy, name), '-- changed\n');
  const folder = join(copy, (await build()).replace(' built', ''));
  appendFileSync(join(copy, name), '-- changed again\n');
  expect(readFileSync(join(folder, name), 'utf8')).toMatch(/-- changed\n$/);
  for (const file of ['0000_tables.sql', 'meta/_journal.json'])
    expect(readFileSync(join(folder, 'db/migrations', file), 'utf8')).toBe(
      readFileSync(join(copy, 'db/migrations', file), 'utf8'),
    );
});

test('sources that do not compile leave no build, and the error names the place', async () => {
  const before = builds();
  appendFileSync(source, '\nexport const = ;\n');
  const error = await build().catch((reason: { code: number; stderr: string }) => reason);
  expect(error).toMatchObject({ code: 2, stderr: expect.stringMatching(/domain\/money\.ts.*error TS/) });
  expect(readdirSync(dist)).toEqual(before);
});
