/** One Temporal server in memory for the run of the workflow tests, with no other server beside it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestProject } from 'vitest/node';
import { freePort, releasePorts } from '../../dev/processes/ports.js';
import { until } from '../../dev/processes/supervise.js';
import { findTemporal } from '../../dev/temporal/binary.js';
import { argumentsFor, serves } from '../../dev/temporal/server.js';
import { hiddenUiAddress } from '../../dev/temporal/ui.js';

const namespace = 'default';

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const signal = AbortSignal.timeout(180_000);
  const binary = await findTemporal({ env: process.env, say: () => undefined, signal });
  const port = await freePort();
  const ui = await hiddenUiAddress(port);
  const server = spawn(binary, [...argumentsFor({ port, ui, namespace }, null)], { stdio: 'ignore' });
  const exited = once(server, 'exit');
  const stop = async () => {
    server.kill('SIGTERM');
    const force = setTimeout(() => server.kill('SIGKILL'), 3000);
    await exited;
    clearTimeout(force);
    releasePorts([port]);
  };
  const ready = until(() => serves({ port, namespace }), AbortSignal.timeout(60_000));
  const endedEarly = exited.then(([code]) => {
    throw new Error(`the Temporal server ended with ${code}`);
  });
  await Promise.race([ready, endedEarly]).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  endedEarly.catch(() => undefined);
  project.provide('temporalAddress', `127.0.0.1:${port}`);
  project.provide('temporalNamespace', namespace);
  return stop;
}
