/** A worker process: runs workflows and activities, relays the outbox, and maintains the schedules. */
import { createLog } from '../api/system/log.js';
import { connect } from '../db/postgres/client.js';
import { reportError } from '../domain/error-report.js';
import { misspeltSettings } from '../domain/setting-names.js';
import { parseSettings } from '../domain/settings.js';
import { runWorker } from './worker.js';

const parsed = parseSettings(process.env);
const misspelt = misspeltSettings(process.env);
const need = (name: string): string => {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} is not set`);
  process.exit(2);
};
if (parsed.kind === 'wrong') {
  for (const problem of [...parsed.problems, ...misspelt]) console.error(problem);
  process.exit(2);
}
const { settings } = parsed;
const { log, register } = createLog({
  level: settings.logLevel,
  base: { service: 'worker', pid: process.pid },
  serializers: { err: reportError },
});
for (const warning of misspelt) log.warn(warning);
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'uncaught error');
  process.exit(1);
});

const worker = await runWorker({
  settings,
  log,
  registerLog: register,
  databaseUrl: need('DATABASE_URL'),
  temporalAddress: need('TEMPORAL_ADDRESS'),
  sandboxUrl: need('SANDBOX_URL'),
  smtpUrl: need('SMTP_URL'),
  bundlePath: need('HOLDFAST_BUNDLE'),
  crashFolder: process.env.HOLDFAST_CRASH_POINTS || null,
  connect,
});
log.info('worker ready');

let stopping = false;
const stop = () => {
  if (!stopping) worker.stop();
  stopping = true;
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
await worker.done.catch((error: unknown) => {
  log.fatal({ err: error }, 'worker failed');
  process.exit(1);
});
process.exit(0);
