/** A second API process on a stack's database and Temporal server. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../../dev/home/paths.js';
import { freePort, releasePorts } from '../../dev/processes/ports.js';
import { runningUrl } from './running-role.js';
import { cleanEnvironment, type Stack } from './stack.js';

/** Starts an API process next to the stack's own, on the same database and Temporal server. Resolves when it is ready. */
export async function startSecondApi(
  stack: Stack,
  settings: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
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
