/** The sandbox as a separate process that is killed: its books keep everything that it acknowledged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { Processor } from './payments/processor.js';
import {
  type Booked,
  books,
  json,
  kill,
  order,
  post,
  type Running,
  sandboxMain,
  sandboxProcesses,
  startsProcesses,
} from './process.fixture.js';

const sandbox = sandboxProcesses();

describe('a sandbox that is killed', startsProcesses, () => {
  it('keeps every acknowledged authorization, capture and look-up when it is killed three times under load', async () => {
    const authorized = new Map<string, string>();
    const captured = new Set<string>();
    const seen = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const running = await sandbox.start();
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
    const { url } = await sandbox.start();
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
    const first = await sandbox.start();
    expect((await post(first.url, 'authorize', 'f', order('tok_flaky_2', 'f'))).status).toBe(503);
    await kill(first);
    const second = await sandbox.start();
    expect((await post(second.url, 'authorize', 'f', order('tok_flaky_2', 'f'))).status).toBe(503);
    expect((await post(second.url, 'authorize', 'f', order('tok_flaky_2', 'f'))).status).toBe(201);
    expect((await books(second.url))[0]?.calls).toHaveLength(3);
  });

  it('keeps refunds, disputes and what was done by hand; what falls due meanwhile has happened at the next start', async () => {
    const first = await sandbox.start();
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

    const second = await sandbox.start();
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
    const first = await sandbox.start();
    const transport = createTransport({ host: '127.0.0.1', port: first.smtpPort, ignoreTLS: true });
    await transport.sendMail({
      from: 'a@example.com',
      to: 'b@example.com',
      subject: 'kept',
      text: 'ä',
      messageId: '<1@t>',
    });
    await kill(first);
    const { url } = await sandbox.start();
    expect(await (await fetch(`${url}/mail?to=B@example.com`)).json()).toMatchObject([
      { to: 'b@example.com', subject: 'kept', text: 'ä', messageId: '<1@t>' },
    ]);
  });
});

describe('a look-up', () => {
  it('waits until the disk has every fact posted before it', async () => {
    const processor = await Processor.open(sandbox.home);
    const { signal } = new AbortController();
    const onDisk = () => readFileSync(join(sandbox.home, 'payments.jsonl'), 'utf8').split('\n').length - 1;
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

describe('the sandbox process', startsProcesses, () => {
  it('shuts down cleanly on SIGTERM', async () => {
    const { child } = await sandbox.start();
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('prints the reason and exits with 2 if it cannot start', async () => {
    const env = { ...process.env, SANDBOX_HOME: sandbox.home, SANDBOX_HTTP_PORT: '70000', SANDBOX_SMTP_PORT: '0' };
    const child = spawn(process.execPath, ['--import', 'tsx', sandboxMain], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(said).toContain('sandbox: SANDBOX_HTTP_PORT must be a port number, not "70000"');
  });
});
