/** The sandbox as a separate process whose disk is full: its books are exactly what it acknowledged. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { books, json, kill, order, post, type Running, sandboxProcesses, startsProcesses } from './process.fixture.js';

const sandbox = sandboxProcesses();

const hasPrlimit = process.platform === 'linux';

describe.runIf(hasPrlimit)('a sandbox whose disk is full', startsProcesses, () => {
  const maxFileBytes = 20_000;
  const giveRoom = ({ child }: Running) => execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
  const readiness = async ({ url }: Running) => (await fetch(`${url}/readyz`)).json();
  const references = async ({ url }: Running) => (await books(url)).map(({ reference }) => reference).sort();

  /**
   * Sends 16 authorizations at a time, which are written together, until one is refused. Returns the acknowledged
   * references and the refused ones.
   */
  async function buyUntilFull({ url }: Running) {
    const acknowledged: string[] = [];
    const refused: string[] = [];
    for (let n = 0; refused.length === 0; n++) {
      const wave = Array.from({ length: 16 }, async (_, card) => {
        const reference = `r-${String(n).padStart(4, '0')}-${card}`;
        const { status } = await post(url, 'authorize', reference, order('tok_visa', reference));
        expect([201, 503]).toContain(status);
        (status === 201 ? acknowledged : refused).push(reference);
      });
      await Promise.all(wave);
    }
    return { acknowledged: acknowledged.sort(), refused };
  }

  it('refuses every call with 503, is not ready, and resumes with exactly what it acknowledged once there is room', async () => {
    const running = await sandbox.start(maxFileBytes);
    const { acknowledged, refused } = await buyUntilFull(running);
    const { url } = running;
    for (let n = 0; n < 3; n++) {
      const refusal = await post(url, 'authorize', 'late', order('tok_visa', 'late'));
      expect(refusal.status).toBe(503);
    }
    const read = await fetch(`${url}/payments`);
    expect(read.status).toBe(503);
    expect(read.headers.get('retry-after')).toBe('1');
    expect(await read.json()).toMatchObject({ error: { code: 'not_written' } });
    expect(await readiness(running)).toEqual({ status: 'not_ready', notReady: ['payments'] });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    // The suppliers have books of their own, with room left.
    expect((await fetch(`${url}/suppliers/calls`)).status).toBe(200);

    giveRoom(running);
    await expect.poll(() => readiness(running)).toEqual({ status: 'ready' });
    expect(await references(running)).toEqual(acknowledged);
    for (const reference of [...refused, 'late'])
      expect((await post(url, 'authorize', reference, order('tok_visa', reference))).status).toBe(201);
    const all = [...acknowledged, ...refused, 'late'].sort();
    expect(await references(running)).toEqual(all);
    await kill(running);
    expect(await references(await sandbox.start())).toEqual(all);
  });

  it('has exactly what it acknowledged after it is killed and restarted', async () => {
    const first = await sandbox.start(maxFileBytes);
    const { acknowledged, refused } = await buyUntilFull(first);
    await kill(first);
    const second = await sandbox.start(maxFileBytes);
    expect(await references(second)).toEqual(acknowledged);
    const before = acknowledged.length;
    // If the whole batch was cut off, there is room for a part of it.
    for (const reference of refused) {
      const { status } = await post(second.url, 'authorize', reference, order('tok_visa', reference));
      if (status === 201) acknowledged.push(reference);
    }
    giveRoom(second);
    await expect.poll(() => readiness(second)).toEqual({ status: 'ready' });
    expect(await references(second)).toEqual(acknowledged.sort());
    expect(acknowledged.length).toBeLessThan(before + refused.length);
  });

  it('shuts down cleanly, and keeps nothing that it refused', async () => {
    const first = await sandbox.start(maxFileBytes);
    const { acknowledged } = await buyUntilFull(first);
    const exited = once(first.child, 'exit');
    first.child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(await references(await sandbox.start())).toEqual(acknowledged);
  });

  it('refuses mail temporarily, and accepts it once there is room', async () => {
    const running = await sandbox.start(maxFileBytes);
    const transport = createTransport({ host: '127.0.0.1', port: running.smtpPort, ignoreTLS: true });
    const send = (messageId: string) =>
      transport.sendMail({ from: 'a@example.com', to: 'b@example.com', text: 'x'.repeat(3000), messageId });
    const accepted: string[] = [];
    let refusal: unknown = null;
    for (let n = 0; refusal === null; n++)
      await send(`<${n}@t>`).then(
        () => accepted.push(`<${n}@t>`),
        (error: unknown) => {
          refusal = error;
        },
      );
    expect(refusal).toMatchObject({ responseCode: 452 });
    expect(await readiness(running)).toEqual({ status: 'not_ready', notReady: ['mail'] });
    giveRoom(running);
    await expect.poll(() => readiness(running)).toEqual({ status: 'ready' });
    await send(`<${accepted.length}@t>`);
    const stored = json<{ messageId: string }[]>(await (await fetch(`${running.url}/mail`)).text());
    expect(stored.map(({ messageId }) => messageId)).toEqual([...accepted, `<${accepted.length}@t>`]);
  });
});
