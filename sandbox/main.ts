/**
 * The sandbox as a process. Settings: SANDBOX_HOME (folder), SANDBOX_HTTP_PORT, SANDBOX_SMTP_PORT, SANDBOX_HOST
 * (default: this machine only), SANDBOX_ALLOWED_HOSTS (further host names that it answers to, separated by commas).
 * Prints one line of JSON when it is ready. SIGTERM or SIGINT shuts it down cleanly. Exits with 2 if it cannot start.
 */
import { type Sandbox, startSandbox } from './server.js';

function fail(problem: string): never {
  console.error(`sandbox: ${problem}`);
  process.exit(2);
}

function portFrom(name: string): number {
  const text = process.env[name] ?? '';
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port <= 65_535 ? port : fail(`${name} must be a port number, not "${text}"`);
}

const home = process.env.SANDBOX_HOME || fail('SANDBOX_HOME must name a folder');
const host = process.env.SANDBOX_HOST || '127.0.0.1';
const allowedHosts = (process.env.SANDBOX_ALLOWED_HOSTS ?? '').split(/[\s,]+/).filter(Boolean);

const sandbox: Sandbox = await startSandbox({
  home,
  host,
  allowedHosts,
  httpPort: portFrom('SANDBOX_HTTP_PORT'),
  smtpPort: portFrom('SANDBOX_SMTP_PORT'),
}).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    sandbox.close().then(
      () => process.exit(0),
      (error: unknown) => fail(`could not shut down cleanly: ${error instanceof Error ? error.message : error}`),
    );
  });

console.log(JSON.stringify({ ready: true, url: sandbox.url, smtpPort: sandbox.smtpPort, pid: process.pid }));
