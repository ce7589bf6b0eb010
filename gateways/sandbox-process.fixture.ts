/** The sandbox as a process of its own, which a test may kill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

interface Addresses {
  readonly url: string;
  readonly smtpPort: number;
}

export interface SandboxProcess extends Addresses {
  /** Ends it at once, with SIGKILL. */
  kill(): Promise<void>;
}

/**
 * @param home the folder of its books
 * @param at where an earlier process listened; default: any free ports
 */
export async function startSandboxProcess(home: string, at?: Addresses): Promise<SandboxProcess> {
  const main = fileURLToPath(new URL('../sandbox/main.ts', import.meta.url));
  const httpPort = at === undefined ? '0' : new URL(at.url).port;
  const ports = { SANDBOX_HTTP_PORT: httpPort, SANDBOX_SMTP_PORT: `${at?.smtpPort ?? 0}` };
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { ...process.env, SANDBOX_HOME: home, ...ports },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const ready: Addresses = JSON.parse(line);
  return {
    ...ready,
    kill: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
