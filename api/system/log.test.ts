/** The log on an output that fills up and later has room again: a child process with a limit on file size. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { afterAll, describe, expect, test } from 'vitest';
import { createLog } from './log.js';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hasPrlimit = process.platform === 'linux';
const limitBytes = 64 * 1024;
const lines = 4000;

/** Logs more than there is room for, then once more for each message; answers each message. */
const program = `
  const { createLog } = await import(${JSON.stringify(new URL('log.ts', import.meta.url).href)});
  const { log } = createLog({ base: null });
  for (let n = 1; n <= ${lines}; n++) log.info({ n }, 'x'.repeat(100));
  process.on('message', () => { log.fatal({ late: true }, 'asked'); process.send('alive'); });
  process.send('alive');
`;

describe('a log that cannot be written', () => {
  test.runIf(hasPrlimit)('does not block the process, and continues with whole lines once there is room', async () => {
    const file = join(folder, 'log');
    const out = openSync(file, 'a');
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', program];
    const child = spawn('prlimit', [`--fsize=${limitBytes}:unlimited`, ...node], {
      stdio: ['ignore', out, 'inherit', 'ipc'],
    });
    closeSync(out);
    try {
      await once(child, 'message');
      // By default, pino waits until a fatal line is written.
      child.send('how are you?');
      await once(child, 'message');
      expect(readFileSync(file)).toHaveLength(limitBytes);
      execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
      const read = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
      await expect.poll(() => read().at(-1)).toContain('could not be written for a while');
      const entries = read().map((line): Record<string, unknown> => JSON.parse(line));
      const written = entries.flatMap(({ n }) => (n === undefined ? [] : [n]));
      // The first lines are there without a gap, including those that were held; the rest are dropped and counted.
      expect(written.length).toBeGreaterThan(limitBytes / 200);
      expect(written).toEqual(written.map((_, index) => index + 1));
      const late = entries.filter((entry) => entry.late === true).length;
      expect(entries.at(-1)).toMatchObject({ level: 40, droppedLines: lines - written.length + 1 - late });
    } finally {
      child.kill('SIGKILL');
    }
  });

  test.runIf(process.platform === 'linux')('counts what it drops', async () => {
    const full = openSync('/dev/full', 'w');
    const { log, register } = createLog({ base: null }, full);
    const registry = new Registry();
    register(registry);
    const line = 'x'.repeat(1000);
    for (let n = 0; n < 1000; n++) log.info(line);
    await sleep(0);
    const [, dropped] = /^holdfast_log_lines_dropped_total (\d+)$/m.exec(await registry.metrics()) ?? [];
    // 256 KiB are held.
    expect(Number(dropped)).toBeGreaterThan(700);
    expect(Number(dropped)).toBeLessThan(760);
    closeSync(full);
  });
});
