/** One stack for the whole test run: two workers, and two API processes on the same database and Temporal server. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestProject } from 'vitest/node';
import { ensureBuild } from '../../dev/build.mjs';
import { projectRoot } from '../../dev/paths.js';
import { freePort, releasePorts } from '../../dev/ports.js';
import { runningUrl } from './running-role.js';
import { cleanEnvironment, type Stack, startStack } from './stack.js';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly apiUrls: readonly string[];
    /** Has every scope. */
    readonly apiKey: string;
    readonly databaseUrl: string;
    readonly sandboxUrl: string;
    readonly temporalAddress: string;
    readonly temporalNamespace: string;
    /** The prebuilt workflow bundle of the sources under test. */
    readonly bundlePath: string;
    readonly home: string;
  }
}

/** Retries and time-outs in a hundredth of their time, suppliers asked soon; no rate limit in the way. */
const settings = {
  WORKERS: '2',
  RETRY_BASE_SCALE: '0.01',
  GATEWAY_TIMEOUT_SECONDS: '1',
  SUPPLIER_RECHECK_SECONDS: '0.4',
  DELIVERY_CHECK_SECONDS: '0.3',
  RATE_LIMIT_PER_MINUTE: '1000000',
};

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const { buildRoot } = await ensureBuild();
  process.env.HOLDFAST_BUILD = buildRoot;
  const stack = await startStack(settings);
  const second = await startSecondApi(stack).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  project.provide('apiUrls', [stack.apiUrl, second.url]);
  project.provide('apiKey', stack.apiKey);
  project.provide('databaseUrl', stack.databaseUrl);
  project.provide('sandboxUrl', stack.sandboxUrl);
  project.provide('temporalAddress', stack.temporalAddress);
  project.provide('temporalNamespace', stack.temporalNamespace);
  project.provide('bundlePath', join(buildRoot, 'workflow-bundle.js'));
  project.provide('home', stack.home);
  return async () => {
    await second.stop();
    await stack.stop();
  };
}

async function startSecondApi(stack: Stack): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = fork(join(projectRoot, 'dev/run.mjs'), ['api/main.js'], {
    env: cleanEnvironment({
      ...settings,
      HOLDFAST_HOME: stack.home,
      DATABASE_URL: runningUrl(stack.databaseUrl, stack.home),
      TEMPORAL_ADDRESS: stack.temporalAddress,
      TEMPORAL_NAMESPACE: stack.temporalNamespace,
      SANDBOX_URL: stack.sandboxUrl,
      API_PORT: String(port),
    }),
    execArgv: [],
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  for (const until = Date.now() + 20_000; ; await sleep(50)) {
    if (
      await fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break;
    if (Date.now() < until && child.exitCode === null) continue;
    child.kill('SIGKILL');
    throw new Error(`the second API process did not start (exit code ${child.exitCode})`);
  }
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 3000);
      await exited;
      clearTimeout(force);
      releasePorts([port]);
    },
  };
}
