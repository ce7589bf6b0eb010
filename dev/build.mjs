#!/usr/bin/env node
/**
 * Compiles the project into `dist/<hash of the sources>/`, if that build is not there yet. Plain JavaScript, since it runs
 * before anything is compiled. A build is made in a folder of its own and renamed when it is whole, so that two builds at
 * once are safe and a running stack keeps the files it was started from.
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
/** A program may have found a build and not marked it yet: what was used lately is left alone. */
const unusedAfterMs = 60_000;
const stillAtItMs = 10_000;

/**
 * Makes sure that the sources as they stand are built, and marks the build as used by this process for as long as it
 * lives. With HOLDFAST_BUILD set, that build is taken as it is. Old builds that nobody uses are removed.
 *
 * @param {{ quiet?: boolean, mark?: boolean }} [options]
 * @returns {Promise<{ buildRoot: string, hash: string, built: boolean }>}
 * @throws where the sources cannot be compiled; the message says what the compiler said.
 */
export async function ensureBuild({ quiet = false, mark = true } = {}) {
  const given = process.env.HOLDFAST_BUILD;
  if (given) {
    if (!existsSync(given)) throw new Error(`HOLDFAST_BUILD names a folder that is not there: ${given}`);
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
      const waiting = setInterval(() => say('building: not done yet'), stillAtItMs);
      await compile(sources, buildRoot, say).finally(() => clearInterval(waiting));
      say(`built dist/${hash}`);
    }
    if (mark && !(await markAsUsed(buildRoot))) continue;
    await removeUnused(hash);
    return { buildRoot, hash, built };
  }
}

/** Everything that the build depends on, by name. */
async function readSources() {
  const { include } = JSON.parse(await readFile(join(root, configFile), 'utf8'));
  const names = ['package.json', 'package-lock.json', 'tsconfig.json', configFile, 'dev/build.mjs'];
  for (const folder of include) {
    for (const entry of await readdir(join(root, folder), { recursive: true }).catch(() => []))
      if (isSource(entry)) names.push(join(folder, entry));
  }
  names.sort();
  // A file that is gone by now is none of the sources.
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(root, name), 'utf8').catch(() => '') })),
  );
}

/** SQL is part of the build as it is, with the list of the migrations: a running stack keeps what it was started with. */
const isSource = (name) => (name.endsWith('.ts') && !name.endsWith('.test.ts')) || isCopied(name);
const isCopied = (name) => name.endsWith('.sql') || name.endsWith('_journal.json');

function hashOf(sources) {
  const hash = createHash('sha256');
  for (const { name, text } of sources) hash.update(`${name}\0${text.length}\0`).update(text);
  return hash.digest('hex').slice(0, 16);
}

/** Compiles a copy of what was hashed, so that an edit meanwhile cannot put another content under this name. */
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
      // Another process was quicker: its build is as good.
      if (!existsSync(buildRoot)) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Workers load the bundle that is made here: none of them has to run the bundler. Its modules are evaluated once a worker
 * and not for each workflow, which none of them may tell from the other way: what they hold outside of functions is
 * shared (test/check/workflow-state.test.ts).
 */
async function bundleWorkflows(folder) {
  const workflowsPath = join(folder, 'workflows/index.js');
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const logger = new DefaultLogger('ERROR');
  const { code } = await bundleWorkflowCode({ workflowsPath, preloadModules: [workflowsPath], logger });
  await writeFile(join(folder, 'workflow-bundle.js'), code);
}

/** A line for people, with the seconds since the process began, in the form that the stack's own start has (terminal/terminal.ts). */
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
      code === 0 ? done(undefined) : fail(new Error(`the sources cannot be compiled\n${output.trim()}`)),
    );
  });
}

/** Leaves a mark with our pid. False where the build has just been removed. */
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
    // A build that we may not write to (an image, another user's checkout) is one that we do not remove either.
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
      // Marked between our look and the rename: put it back.
      if (await isUsed(removed)) await rename(removed, folder);
      else await rm(removed, { recursive: true, force: true });
    } catch {
      // Another process is removing it, or we lack the right to.
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
