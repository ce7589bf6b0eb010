/** A test's own API process: to kill it, cut it off from its servers, or read its log. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, inject } from 'vitest';
import { projectRoot } from '../../../dev/home/paths.js';
import { freePort } from '../../../dev/processes/ports.js';
import { noRateLimits } from '../../setup/settings.js';
import { cleanEnvironment } from '../../setup/stack.js';
import { eventually, Shop } from '../../shop.js';

export interface OwnApi {
  readonly url: string;
  readonly shop: Shop;
  /** Its output so far, stdout and stderr. */
  output(): string;
  /** Ends it with a signal. Resolves with its exit code, or null if the signal killed it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts an API process on the run's servers, with `env` on top. Resolves when it listens. */
export async function startOwnApi(env: Record<string, string> = {}): Promise<OwnApi> {
  const port = await freePort();
  const { child, output } = launch({ API_PORT: String(port), ...env });
  const url = `http://127.0.0.1:${port}`;
  await eventually('the API process to listen', async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${output()}`);
    return (await fetch(`${url}/livez`)).ok;
  });
  return {
    url,
    shop: new Shop({ apiUrl: url, apiKey: inject('apiKey'), sandboxUrl: inject('sandboxUrl') }),
    output,
    end: async (signal) => {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

/**
 * API processes for the tests of one file that send crowds. If those are refused for overload, tests that run meanwhile at
 * the shared processes are not.
 */
export function ownShops(count: number): (index: number) => Shop {
  let apis: OwnApi[] = [];
  beforeAll(async () => {
    apis = await Promise.all(Array.from({ length: count }, () => startOwnApi()));
  });
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.end('SIGTERM')));
  });
  return (index) => {
    const api = apis[index % count];
    if (!api) throw new Error('no API process is running');
    return api.shop;
  };
}

/** Starts an API process that should end by itself. */
export async function runOwnApi(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const { child, output } = launch(env);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

function launch(env: Record<string, string>): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [join(projectRoot, 'dev/run.mjs'), 'api/main.js'], {
    cwd: projectRoot,
    env: cleanEnvironment({
      DATABASE_URL: inject('databaseUrl'),
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      ...noRateLimits,
      ...env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  const keep = (chunk: Buffer) => {
    written += chunk.toString('utf8');
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return { child, output: () => written };
}
