#!/usr/bin/env node
/**
 * Compiles the project into `dist/<hash of the sources>/`, unless that build exists. Plain JavaScript, since it runs before
 * anything is compiled. It builds in a temporary folder and renames that at the end, so concurrent builds are safe and a
 * running stack keeps the files it was started from.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const configFile = 'tsconfig.build.json';
/** Builds used this recently stay: a program may have found one and not marked it yet. */
const unusedAfterMs = 60_000;
const progressEveryMs = 10_000;

/**
 * Builds the current sources if needed, marks the build as used by this process, and removes old builds that no process
 * uses. If HOLDFAST_BUILD is set, takes that build as it is.
 *
 * @param {{ quiet?: boolean, mark?: boolean }} [options]
 * @returns {Promise<{ buildRoot: string, hash: string, built: boolean }>}
 * @throws if the sources do not compile, with the compiler's output as message
 */
export async function ensureBuild({ quiet = false, mark = true } = {}) {
  const given = process.env.HOLDFAST_BUILD;
  if (given) {
    if (!existsSync(given)) throw new Error(`HOLDFAST_BUILD names a folder that does not exist: ${given}`);
    return { buildRoot: resolve(given), hash: '', built: false };
  }
  await mkdir(dist, { recursive: true });
  for (;;) {
    const sources = await readSources();
    const hash = hashOf(sources);
    const buildRoot = join(dist, hash);
    const built = !existsSync(buildRoot);
    if (built) {
      const say = quiet ? () => undefined : sayWithTime;
      say(`building dist/${hash}: compiling`);
      const waiting = setInterval(() => say('still building'), progressEveryMs);
      await compile(sources, buildRoot, say).finally(() => clearInterval(waiting));
      say(`built dist/${hash}`);
    }
    if (mark && !(await markAsUsed(buildRoot))) continue;
    await removeUnused(hash);
    return { buildRoot, hash, built };
  }
}

/** Everything the build depends on, sorted by name. */
async function readSources() {
  const { include } = JSON.parse(await readFile(join(root, configFile), 'utf8'));
  const names = ['package.json', 'package-lock.json', 'tsconfig.json', configFile, 'dev/build.mjs'];
  for (const folder of include) {
    for (const entry of await readdir(join(root, folder), { recursive: true }).catch(() => []))
      if (isSource(entry)) names.push(join(folder, entry));
  }
  names.sort();
  // A file deleted since the listing counts as empty.
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(root, name), 'utf8').catch(() => '') })),
  );
}

/** SQL and the list of migrations are copied into the build, so a running stack keeps those it was started with. */
const isSource = (name) => (name.endsWith('.ts') && !name.endsWith('.test.ts')) || isCopied(name);
const isCopied = (name) => name.endsWith('.sql') || name.endsWith('_journal.json');

function hashOf(sources) {
  const hash = createHash('sha256');
  for (const { name, text } of sources) hash.update(`${name}\0${text.length}\0`).update(text);
  return hash.digest('hex').slice(0, 16);
}

/** Compiles a copy of the hashed sources, so an edit made meanwhile cannot end up under this hash. */
async function compile(sources, buildRoot, say) {
  const folder = await mkdtemp(join(dist, '.making-'));
  const copy = join(folder, 'sources');
  const output = join(folder, 'output');
  try {
    for (const { name, text } of sources) {
      await mkdir(dirname(join(copy, name)), { recursive: true });
      await writeFile(join(copy, name), text);
    }
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    const options = ['--outDir', output, '--sourceRoot', pathToFileURL(`${root}/`).href];
    await run(process.execPath, [tsc, '-p', configFile, ...options], copy);
    for (const { name, text } of sources)
      if (isCopied(name)) {
        await mkdir(dirname(join(output, name)), { recursive: true });
        await writeFile(join(output, name), text);
      }
    say('building: bundling the workflows');
    await bundleWorkflows(output);
    await rename(output, buildRoot).catch((error) => {
      // Another process was faster; its build is equivalent.
      if (!existsSync(buildRoot)) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Bundles the workflows here, so that no worker has to. The modules are evaluated once per worker, not once per workflow, so
 * workflows share their top-level state; test/check/workflow-state.test.ts refuses any.
 */
async function bundleWorkflows(folder) {
  const workflowsPath = join(folder, 'workflows/index.js');
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const logger = new DefaultLogger('ERROR');
  const { code } = await bundleWorkflowCode({ workflowsPath, preloadModules: [workflowsPath], logger });
  await writeFile(join(folder, 'workflow-bundle.js'), code);
}

/** One line with the seconds since the process began, in the form of the stack's own start (terminal/terminal.ts). */
function sayWithTime(line) {
  console.error(`${process.uptime().toFixed(1).padStart(6)} s  ${line}`);
}

function run(command, args, cwd) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', fail);
    child.on('close', (code) =>
      code === 0 ? done(undefined) : fail(new Error(`the sources do not compile\n${output.trim()}`)),
    );
  });
}

/** Marks the build with this process's pid. False if the build has just been removed. */
async function markAsUsed(buildRoot) {
  try {
    await mkdir(join(buildRoot, '.used-by'), { recursive: false }).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await writeFile(join(buildRoot, '.used-by', String(process.pid)), '');
    const now = new Date();
    await utimes(buildRoot, now, now);
    return true;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    // A build we cannot write to (an image, another user's checkout) is also one we cannot remove.
    if (error.code === 'EACCES' || error.code === 'EROFS') return true;
    throw error;
  }
}

async function removeUnused(current) {
  const long = Date.now() - unusedAfterMs;
  for (const name of await readdir(dist)) {
    const folder = join(dist, name);
    if (name === current || !/^([0-9a-f]{16}|\.making-.*|\.removed-.*)$/.test(name)) continue;
    try {
      if ((await stat(folder)).mtimeMs > long || (await isUsed(folder))) continue;
      const removed = join(dist, `.removed-${name}-${process.pid}`);
      await rename(folder, removed);
      // Marked between the check and the rename: put it back.
      if (await isUsed(removed)) await rename(removed, folder);
      else await rm(removed, { recursive: true, force: true });
    } catch {
      // Another process is removing it, or we lack permission.
    }
  }
}

async function isUsed(folder) {
  const pids = await readdir(join(folder, '.used-by')).catch(() => []);
  return pids.some((pid) => isAlive(Number(pid)));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { hash, built } = await ensureBuild({ mark: false });
    console.log(`dist/${hash} ${built ? 'built' : 'is up to date'}`);
  } catch (error) {
    console.error(`holdfast: ${error.message}`);
    process.exitCode = 2;
  }
}
