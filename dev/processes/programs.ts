/** Our own programs as servers of the stack. */
import { isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import type { Home } from '../home/home.js';
import { ownServer } from './servers.js';
import { type ServerPlan, until } from './supervise.js';
import { answersOk, workerPolls } from './wait-for.js';

export function sandboxServer(home: Home, env: NodeJS.ProcessEnv, httpPort: number, smtpPort: number): ServerPlan {
  const own = {
    ...env,
    SANDBOX_HOME: home.sandbox,
    SANDBOX_HTTP_PORT: String(httpPort),
    SANDBOX_SMTP_PORT: String(smtpPort),
  };
  return program('sandbox', 'sandbox/main.js', home, own, () => answersOk(`http://127.0.0.1:${httpPort}/livez`));
}

/** The address at which this machine reaches a server that listens on `host`: loopback if it listens on all addresses. */
export function ownAddress(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return isIPv6(host) ? `[${host}]` : host;
}

export function apiServer(home: Home, env: NodeJS.ProcessEnv, port: number): ServerPlan {
  return program('api', 'api/main.js', home, env, () =>
    answersOk(`http://${ownAddress(env.API_HOST || '127.0.0.1')}:${port}/readyz`),
  );
}

/** A worker is ready when Temporal has seen it ask for work. */
export function workerServer(number: number, home: Home, env: NodeJS.ProcessEnv): ServerPlan {
  const { TEMPORAL_ADDRESS: address = '', TEMPORAL_NAMESPACE: namespace = 'default' } = env;
  return program(`worker ${number}`, 'workers/main.js', home, env, (pid) =>
    workerPolls(address, namespace, (identity) => identity === `${pid}@${hostname()}`),
  );
}

function program(
  name: string,
  file: string,
  home: Home,
  env: NodeJS.ProcessEnv,
  serves: (pid: number) => Promise<boolean>,
): ServerPlan {
  const logFile = home.log(name.replace(' ', '-'));
  return {
    name,
    logFile,
    launch: () => ownServer(file, env, logFile),
    ready: (pid, signal) => until(() => serves(pid), signal),
  };
}
