/** The embedded Temporal server: the official one, on a SQLite file. */
import { join } from 'node:path';
import { searchAttributes } from '../../workflows/shared/contract.js';
import type { Home } from '../home/home.js';
import { keptServer } from '../processes/servers.js';
import { type ServerPlan, until } from '../processes/supervise.js';
import { askTemporal, listens } from '../processes/wait-for.js';
import type { UiAddress } from './ui.js';

export interface TemporalChoice {
  readonly binary: string;
  readonly port: number;
  readonly ui: UiAddress;
  readonly namespace: string;
}

export function embeddedTemporal(home: Home, choice: TemporalChoice): ServerPlan {
  const logFile = home.log('temporal');
  return {
    name: 'temporal',
    logFile,
    // A server killed a moment ago may still hold the file.
    passing: /database is locked/,
    launch: () =>
      keptServer(
        {
          command: choice.binary,
          args: [...argumentsFor(choice, join(home.temporal, 'temporal.db'))],
          env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? home.path, TZ: 'UTC' },
          user: null,
          stopSignal: 'SIGTERM',
          stopWithinMs: 2000,
        },
        logFile,
      ),
    ready: (_pid, signal) => until(() => serves(choice), signal),
  };
}

/** @param file of its database; null: in memory, gone when it ends */
export function* argumentsFor(choice: Omit<TemporalChoice, 'binary'>, file: string | null): Iterable<string> {
  yield* [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(choice.port),
    '--ui-ip',
    choice.ui.ip,
    '--ui-port',
    String(choice.ui.port),
  ];
  yield* ['--namespace', choice.namespace, '--log-level', 'error', '--ui-disable-news-fetch'];
  // Syncs only at checkpoints of the write-ahead log: this survives a killed process and doubles throughput.
  if (file !== null)
    yield* ['--db-filename', file, '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'];
  // By default each queue is polled 20 times a second, so every workflow task would wait up to 50 ms.
  for (const queue of ['transfer', 'timer', 'visibility'])
    yield* ['--dynamic-config-value', `history.${queue}ProcessorMaxPollRPS=2000`];
  // By default timers fire up to 1 s late, to allow for clock differences between hosts. Here is only one host.
  yield* ['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="1ms"'];
  // The HTTP API has no keys, so refuse pages of other sites whose names resolve to this machine (DNS rebinding).
  yield* ['--dynamic-config-value', 'frontend.httpAllowedHosts=["127.0.0.1:*","localhost:*"]'];
  for (const [name, type] of Object.entries(searchAttributes)) yield* ['--search-attribute', `${name}=${type}`];
}

/** Whether the server answers and has the namespace. */
export async function serves({ port, namespace }: Pick<TemporalChoice, 'port' | 'namespace'>): Promise<boolean> {
  if (!(await listens(port))) return false;
  return askTemporal(`127.0.0.1:${port}`, async ({ workflowService }) => {
    const { namespaceInfo } = await workflowService.describeNamespace({ namespace });
    return namespaceInfo?.name === namespace;
  });
}
