/** A client of the Temporal server under test, for signals from outside and for reading histories. */
import { Client, Connection } from '@temporalio/client';
import { inject } from 'vitest';

let client: Promise<Client> | undefined;

export function temporal(): Promise<Client> {
  client ??= Connection.connect({ address: inject('temporalAddress') }).then(
    (connection) => new Client({ connection }),
  );
  return client;
}

export async function signalOrder(orderId: string, name: string, ...payload: unknown[]): Promise<void> {
  await (await temporal()).workflow.getHandle(`order/${orderId}`).signal(name, ...payload);
}
