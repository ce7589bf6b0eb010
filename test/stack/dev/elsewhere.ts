/** A database and a Temporal namespace on servers that the stack under test did not start: those of the test run. */
import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import postgres from 'postgres';
import { inject } from 'vitest';

export interface Elsewhere {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly namespace: string;
  readonly temporal: Connection;
  remove(): Promise<void>;
}

/** Creates both, empty. */
export async function makeElsewhere(): Promise<Elsewhere> {
  const database = `elsewhere_${randomUUID().replaceAll('-', '')}`;
  const namespace = `elsewhere-${randomUUID()}`;
  const server = postgres(inject('databaseUrl'), { max: 1, onnotice: () => undefined });
  await server`create database ${server(database)}`;
  const temporal = await Connection.connect({ address: inject('temporalAddress') });
  await temporal.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
  return {
    databaseUrl: inject('databaseUrl').replace(/\/\w+$/, `/${database}`),
    temporalAddress: inject('temporalAddress'),
    namespace,
    temporal,
    remove: async () => {
      await temporal.close();
      await server`drop database if exists ${server(database)} with (force)`;
      await server.end();
    },
  };
}
