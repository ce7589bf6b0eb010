/** Checks whether a server is serving. */
import { connect } from 'node:net';
import { Connection } from '@temporalio/client';
import { taskQueue } from '../../workflows/shared/contract.js';

/** Whether anything listens on this port. */
export function listens(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (result: boolean) => {
      socket.destroy();
      answer(result);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

/** Whether this address answers 2xx within 2 s. */
export async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await response.arrayBuffer();
  return response.ok;
}

/** Asks a Temporal server one question over a short-lived connection, with a timeout of 1 s. */
export async function askTemporal<T>(address: string, question: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address, connectTimeout: 1000 });
  try {
    return await connection.withDeadline(Date.now() + 1000, () => question(connection));
  } finally {
    await connection.close();
  }
}

/** Whether a worker with a matching identity (`pid@host`) has polled for workflow tasks in the last minutes. */
export function workerPolls(address: string, namespace: string, fits: (identity: string) => boolean): Promise<boolean> {
  return askTemporal(address, async ({ workflowService }) => {
    const { pollers } = await workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: 1,
    });
    return (pollers ?? []).some(({ identity }) => typeof identity === 'string' && fits(identity));
  });
}
