/**
 * A process that watches over a foreign server (Postgres, Temporal): starts it in its own process group, sends the stack its
 * pid, and stops it when the stack asks for that or is gone. Started by keptServer in servers.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';

export interface KeptCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number } | null;
  /** Stops it in order; SIGKILL follows. */
  readonly stopSignal: NodeJS.Signals;
  readonly stopWithinMs: number;
}

export type KeeperMessage =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'ended'; readonly how: string };

let server: ChildProcess | null = null;
let stopWith: { readonly signal: NodeJS.Signals; readonly withinMs: number } | null = null;

process.once('message', (message: KeptCommand) => {
  stopWith = { signal: message.stopSignal, withinMs: message.stopWithinMs };
  const child = spawn(message.command, message.args, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: message.env,
    ...message.user,
  });
  server = child;
  child.once('spawn', () => tell({ kind: 'started', pid: child.pid ?? 0 }));
  child.once('error', (error) => finish({ kind: 'failed', message: error.message }));
  child.once('exit', (code, signal) => finish({ kind: 'ended', how: signal ?? `exit code ${code}` }));
});
process.on('disconnect', stop);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

function stop(): void {
  if (!server || !stopWith) process.exit(0);
  const child = server;
  child.kill(stopWith.signal);
  setTimeout(() => child.kill('SIGKILL'), stopWith.withinMs);
}

function finish(message: KeeperMessage): void {
  tell(message, () => process.exit(0));
}

/** The stack may be gone. Sending to it must then not throw, or the keeper would end before its server. */
function tell(message: KeeperMessage, then: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, () => then());
  else then();
}
