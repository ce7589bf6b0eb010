/** Exits 0 where a worker on this host polls Temporal, else 1: the health check of a worker's container. */
import { hostname } from 'node:os';
import { workerPolls } from './wait-for.js';

const { TEMPORAL_ADDRESS = '', TEMPORAL_NAMESPACE = 'default' } = process.env;
const polls = await workerPolls(TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, (identity) =>
  identity.endsWith(`@${hostname()}`),
).catch(() => false);
process.exit(polls ? 0 : 1);
