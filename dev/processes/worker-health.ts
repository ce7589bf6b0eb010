/** The health check of a worker's container: exits 0 if a worker on this host polls Temporal, else 1. */
import { hostname } from 'node:os';
import { workerPolls } from './wait-for.js';

const { TEMPORAL_ADDRESS = '', TEMPORAL_NAMESPACE = 'default' } = process.env;
const polls = await workerPolls(TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, (identity) =>
  identity.endsWith(`@${hostname()}`),
).catch(() => false);
process.exit(polls ? 0 : 1);
