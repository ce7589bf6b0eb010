/** A client of the Temporal server under test, to send signals and read histories. */
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

/** What a person can do to orders without the API, on a test's own stack. */
export interface Outside {
  signal(orderId: string, name: string, payload: unknown): Promise<void>;
  /** Terminates the workflow without the order noticing. */
  terminate(orderId: string): Promise<void>;
  close(): Promise<void>;
}

export async function outsideOf({ temporalAddress }: { readonly temporalAddress: string }): Promise<Outside> {
  const connection = await Connection.connect({ address: temporalAddress });
  const { workflow } = new Client({ connection });
  return {
    signal: (orderId, name, payload) => workflow.getHandle(`order/${orderId}`).signal(name, payload),
    terminate: async (orderId) => {
      await workflow.getHandle(`order/${orderId}`).terminate();
    },
    close: () => connection.close(),
  };
}
