/**
 * The sandbox as a separate process that is killed or has a full disk: its books keep everything that it acknowledged.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Processor } from './payments/processor.js';

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly smtpPort: number;
}

interface Booked {
  readonly authorizationId: string;
  readonly reference: string;
  readonly captured: number;
  readonly calls: readonly unknown[];
}

let home: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'durability-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(home, { recursive: true });
});

/** @param maxFileBytes the limit of its files: a write beyond it fails as on a full disk */
async function start(maxFileBytes?: number): Promise<Running> {
  const node = [process.execPath, '--import', 'tsx', fileURLToPath(new URL('main.ts', import.meta.url))];
  const limit = maxFileBytes === undefined ? [] : ['prlimit', `--fsize=${maxFileBytes}:unlimited`];
  const [command = '', ...args] = [...limit, ...node];
  const child = spawn(command, args, {
    env: { ...process.env, SANDBOX_HOME: home, SANDBOX_HTTP_PORT: '0', SANDBOX_SMTP_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { url, smtpPort }: { url: string; smtpPort: number } = JSON.parse(line);
  return { child, url, smtpPort };
}

async function kill({ child }: Running): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function post(url: string, path: string, key: string, body: unknown) {
  const response = await fetch(`${url}/payments/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });
  const { authorizationId } = json<{ authorizationId: string }>(await response.text());
  return { status: response.status, authorizationId };
}

const json = <T>(text: string): T => JSON.parse(text);
const books = async (url: string) => json<Booked[]>(await (await fetch(`${url}/payments`)).text());
const order = (token: string, reference: string) => ({ token, amount: 700, currency: 'EUR', reference });

/** Each test starts processes, possibly on a busy machine. */
const retryBudget = { timeout: 60_000 };

describe('a sandbox that is killed', retryBudget, () => {
  it('keeps every acknowledged authorization, capture and look-up when it is killed three times under load', async () => {
    const authorized = new Map<string, string>();
    const captured = new Set<string>();
    const seen = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const running = await start();
      const enough = captured.size + 60;
      const buyer = async (name: string) => {
        for (let n = 0; ; n++) {
          const reference = `${round}-${name}-${n}`;
          const { authorizationId } = await post(running.url, 'authorize', reference, order('tok_visa', reference));
          authorized.set(reference, authorizationId);
          const capture = post(running.url, `${authorizationId}/capture`, `${reference}/c`, { amount: 700 });
          // Read while the capture is being written: what a reader saw must survive too.
          const view = fetch(`${running.url}/payments/${authorizationId}`).then(async (answer) =>
            json<Booked>(await answer.text()),
          );
          const [answer, { captured: taken }] = await Promise.all([capture, view]);
          if (taken === 700) seen.add(authorizationId);
          if (answer.status === 200) captured.add(authorizationId);
        }
      };
      const load = Promise.allSettled(Array.from({ length: 8 }, (_, n) => buyer(`b${n}`)));
      await expect.poll(() => captured.size, { timeout: 30_000, interval: 1 }).toBeGreaterThan(enough);
      await kill(running);
      await load;
    }
    const { url } = await start();
    const after = new Map((await books(url)).map((booked) => [booked.reference, booked]));
    for (const [reference, authorizationId] of authorized)
      expect(after.get(reference)?.authorizationId).toBe(authorizationId);
    const taken = new Set(
      [...after.values()].filter((booked) => booked.captured === 700).map((b) => b.authorizationId),
    );
    expect([...captured, ...seen].filter((id) => !taken.has(id))).toEqual([]);
    // A call that was in doubt when the process died happens once when it is repeated with its key.
    const doubtful = [...after.values()].find((booked) => booked.captured === 0) ?? [...after.values()][0];
    const repeated = `${doubtful?.reference}`;
    const again = await post(url, 'authorize', repeated, order('tok_visa', repeated));
    expect(again.authorizationId).toBe(doubtful?.authorizationId);
  });

  it('remembers the scripted faults of an operation', async () => {
    const first = await start();
    expect((await post(first.url, 'authorize', 'f', order('tok_flaky_2', 'f'))).status).toBe(503);
    await kill(first);
    const second = await start();
    expect((await post(second.url, 'authorize', 'f', order('tok_flaky_2', 'f'))).status).toBe(503);
    expect((await post(second.url, 'authorize', 'f', order('tok_flaky_2', 'f'))).status).toBe(201);
    expect((await books(second.url))[0]?.calls).toHaveLength(3);
  });

  it('keeps refunds, disputes and what was done by hand; what falls due meanwhile has happened at the next start', async () => {
    const first = await start();
    const byHand = async ({ url }: Running, path: string, body: unknown) => {
      const answer = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
      return json<{ authorizationId: string; disputeId: string }>(await answer.text());
    };
    const captured = async (token: string) => {
      const { authorizationId } = await byHand(first, '/payments/authorizations', order(token, token));
      await post(first.url, `${authorizationId}/capture`, `${token}/c`, { amount: 700 });
      return authorizationId;
    };
    const pending = await captured('tok_refund_pending_600000');
    const late = await captured('tok_refund_fails_late_1000');
    const disputed = await captured('tok_visa');
    await post(first.url, `${pending}/refund`, 'p', { amount: 300 });
    await byHand(first, `/payments/${disputed}/refunds`, { amount: 100 });
    const lost = await byHand(first, `/payments/${disputed}/disputes`, { amount: 200, reason: 'fraudulent' });
    await byHand(first, `/disputes/${lost.disputeId}/close`, { outcome: 'lost' });
    await byHand(first, `/payments/${disputed}/disputes`, { reason: 'general', inquiry: true });
    const before = await books(first.url);
    await post(first.url, `${late}/refund`, 'l', { amount: 300 });
    await kill(first);

    const second = await start();
    await expect
      .poll(() => books(second.url))
      .toMatchObject([{}, { authorizationId: late, refunded: 0, refunds: [{ status: 'failed' }] }, {}]);
    const after = await books(second.url);
    expect([after[0], after[2]]).toEqual([before[0], before[2]]);
    expect([after[0], after[2]]).toMatchObject([
      { authorizationId: pending, refunded: 300, refunds: [{ status: 'pending' }] },
      { refunded: 100, withdrawn: 200, disputes: [{ status: 'lost' }, { status: 'inquiry', amount: 400 }] },
    ]);
    expect(await (await fetch(`${second.url}/payments/operations?idempotencyKey=p`)).json()).toMatchObject({
      answer: { status: 201, body: { status: 'pending' } },
    });
  });

  it('keeps every mail that it accepted', async () => {
    const first = await start();
    const transport = createTransport({ host: '127.0.0.1', port: first.smtpPort, ignoreTLS: true });
    await transport.sendMail({
      from: 'a@example.com',
      to: 'b@example.com',
      subject: 'kept',
      text: 'ä',
      messageId: '<1@t>',
    });
    await kill(first);
    const { url } = await start();
    expect(await (await fetch(`${url}/mail?to=B@example.com`)).json()).toMatchObject([
      { to: 'b@example.com', subject: 'kept', text: 'ä', messageId: '<1@t>' },
    ]);
  });
});

const hasPrlimit = process.platform === 'linux';

describe.runIf(hasPrlimit)('a sandbox whose disk is full', retryBudget, () => {
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
    const running = await start(maxFileBytes);
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
    expect(await references(await start())).toEqual(all);
  });

  it('has exactly what it acknowledged after it is killed and restarted', async () => {
    const first = await start(maxFileBytes);
    const { acknowledged, refused } = await buyUntilFull(first);
    await kill(first);
    const second = await start(maxFileBytes);
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
    const first = await start(maxFileBytes);
    const { acknowledged } = await buyUntilFull(first);
    const exited = once(first.child, 'exit');
    first.child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(await references(await start())).toEqual(acknowledged);
  });

  it('refuses mail temporarily, and accepts it once there is room', async () => {
    const running = await start(maxFileBytes);
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

describe('a look-up', () => {
  it('waits until the disk has every fact posted before it', async () => {
    const processor = await Processor.open(home);
    const { signal } = new AbortController();
    const onDisk = () => readFileSync(join(home, 'payments.jsonl'), 'utf8').split('\n').length - 1;
    const reads = [
      () => processor.find('k'),
      () => processor.list(),
      () => processor.view('auth_whatever'),
      () => processor.find('unknown'),
    ];
    for (const [index, read] of reads.entries()) {
      const submitted = processor.submit('k', { kind: 'authorize', ...order('tok_visa', 'r') }, signal);
      await read();
      expect(onDisk()).toBe(index + 1);
      await submitted;
    }
    await processor.close();
  });
});

describe('the sandbox process', retryBudget, () => {
  it('shuts down cleanly on SIGTERM', async () => {
    const { child } = await start();
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('prints the reason and exits with 2 if it cannot start', async () => {
    const env = { ...process.env, SANDBOX_HOME: home, SANDBOX_HTTP_PORT: '70000', SANDBOX_SMTP_PORT: '0' };
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', main], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(said).toContain('sandbox: SANDBOX_HTTP_PORT must be a port number, not "70000"');
  });
});
