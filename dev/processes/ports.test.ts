import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { claim, unclaim } from '../home/claims.js';
import { choosePorts, freePort, type Ports, releasePorts } from './ports.js';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-ports-test-'));
const file = join(folder, 'ports.json');
let held: Ports | null = null;
afterEach(() => {
  if (held) releasePorts(Object.values(held));
  held = null;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const again = async (fixed: Partial<Ports> = {}) => {
  if (held) releasePorts(Object.values(held));
  held = await choosePorts(file, fixed);
  return held;
};

describe('ports', () => {
  test('all differ, and are the same at the next start', async () => {
    const first = await again();
    expect(new Set(Object.values(first)).size).toBe(6);
    expect(await again()).toEqual(first);
  });

  test('that have been taken meanwhile are replaced; the others stay', async () => {
    const first = await again();
    releasePorts(Object.values(first));
    const server = createServer().listen(first.temporal, '127.0.0.1');
    await once(server, 'listening');
    const { temporal, ...others } = await again();
    server.close();
    expect(temporal).not.toBe(first.temporal);
    expect({ ...others, temporal: first.temporal }).toEqual(first);
  });

  test('set by hand are used as they are, or refused', async () => {
    const port = await freePort();
    await expect(choosePorts(file, { api: port })).rejects.toThrow(`port ${port} (api, set by hand) is taken`);
    releasePorts([port]);
    expect((await again({ api: port })).api).toBe(port);
  });

  test('are chosen anew if the file of the last ones is damaged', async () => {
    writeFileSync(file, '{"api": "three thousand", ');
    expect(Object.values(await again())).toHaveLength(6);
  });

  test("are below the system's range for outgoing connections", async () => {
    const port = await freePort();
    releasePorts([port]);
    const [lowest = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/).map(Number);
    expect(port).toBeLessThan(lowest);
  });
});

describe('a claim', () => {
  const place = join(folder, 'claim');
  const other = `import { claim } from '${new URL('../home/claims.ts', import.meta.url)}';
    process.on('message', () => process.send(claim('${place}'))); process.send('there');`;

  async function otherProcess() {
    const script = join(folder, 'other.mts');
    writeFileSync(script, other);
    const child = fork(script, [], { execArgv: ['--import', import.meta.resolve('tsx')] });
    await once(child, 'message');
    const ask = async () => {
      child.send('claim');
      const [answer] = await once(child, 'message');
      return answer;
    };
    return { child, ask };
  }

  test('belongs to one process until that process ends, however it ends', async () => {
    const { child, ask } = await otherProcess();
    expect(await ask()).toEqual({ kind: 'ours' });
    expect(claim(place)).toEqual({ kind: 'held', pid: child.pid });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(claim(place)).toEqual({ kind: 'ours' });
    unclaim(place);
  });

  test("goes to exactly one of many processes that take over a dead one's", async () => {
    writeFileSync(place, JSON.stringify({ pid: process.pid, startedAt: 'in another life of this pid' }));
    const others = await Promise.all([1, 2, 3, 4].map(otherProcess));
    const answers = await Promise.all(others.map(({ ask }) => ask()));
    for (const { child } of others) child.kill('SIGKILL');
    expect(answers.filter(({ kind }) => kind === 'ours')).toHaveLength(1);
  });
});
