/** What the processor tells its listeners, such as the sender of webhooks. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from './changes.js';
import { Processor } from './processor.js';

let home: string;
let processor: Processor;
const { signal } = new AbortController();

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'changes-'));
  processor = await Processor.open(home);
});
afterEach(async () => {
  await processor.close();
  await rm(home, { recursive: true });
});

async function captured(token: string): Promise<string> {
  const order = { token, amount: 700, currency: 'EUR', reference: 'r' };
  const reply = await processor.submit('a', { kind: 'authorize', ...order }, signal);
  if (reply.kind !== 'answer' || reply.outcome.kind !== 'authorized') throw new Error('not authorized');
  const { authorizationId } = reply.outcome;
  await processor.submit('c', { kind: 'capture', authorizationId, amount: 700 }, signal);
  return authorizationId;
}
const refund = (authorizationId: string) =>
  processor.submit('r', { kind: 'refund', authorizationId, amount: 5 }, signal);
const kinds = (changes: readonly Change[]) => changes.map(({ kind }) => kind);

describe('a listener', () => {
  it('hears of each change once, when it is on disk, and of none after it ended', async () => {
    const heard: Change[] = [];
    const end = processor.onChange((change) => heard.push(change));
    const authorizationId = await captured('tok_visa');
    const disputed = await processor.openDispute({ authorizationId, reason: 'fraudulent' });
    if (disputed.kind !== 'done') throw new Error('not disputed');
    await processor.closeDispute(disputed.value.id, 'won');
    await processor.closeDispute(disputed.value.id, 'won');
    await Promise.all([refund(authorizationId), refund(authorizationId)]);
    expect(kinds(heard)).toEqual(['authorized', 'captured', 'dispute_opened', 'dispute_closed', 'refund_created']);
    expect(heard.every((change) => change.authorizationId === authorizationId)).toBe(true);
    expect(heard[2]?.objectId).toBe(disputed.value.id);
    end();
    await processor.byHand({ kind: 'refund', authorizationId, amount: 5 });
    expect(heard).toHaveLength(5);
  });

  it('finds the change on disk', async () => {
    const onDisk: Promise<string>[] = [];
    processor.onChange(() => onDisk.push(readFile(join(home, 'payments.jsonl'), 'utf8')));
    await captured('tok_visa');
    const [authorized, both] = await Promise.all(onDisk);
    expect(authorized).toContain('"authorized"');
    expect(both).toContain('"captured"');
  });

  it.each([
    ['tok_refund_pending_2000', 'refund_succeeded', 'succeeded'],
    ['tok_refund_fails_late_2000', 'refund_failed', 'failed'],
  ])('hears of what time brings to a refund with %s, after a restart too', async (token, kind, status) => {
    const id = await captured(token);
    await refund(id);
    await processor.close();
    processor = await Processor.open(home);
    const heard: { kind: string; status: string | null }[] = [];
    processor.onChange((change) => {
      heard.push({ kind: change.kind, status: processor.refundStatus(change.objectId) });
    });
    await expect.poll(() => heard).toEqual([{ kind, status }]);
  });

  it('that fails does not keep others from hearing, nor the call from its answer', async () => {
    const heard: Change[] = [];
    processor.onChange(() => {
      throw new Error('listener');
    });
    processor.onChange((change) => heard.push(change));
    await captured('tok_visa');
    expect(kinds(heard)).toEqual(['authorized', 'captured']);
  });

  it('that was away finds what it missed, the oldest first', async () => {
    const heard: Change[] = [];
    processor.onChange((change) => heard.push(change));
    const id = await captured('tok_refund_fails_late_1');
    const seen = heard.at(-1)?.at ?? 0;
    // Later than the capture, which may have been booked in this millisecond.
    await expect.poll(() => Date.now()).toBeGreaterThan(seen);
    await processor.close();
    processor = await Processor.open(home);
    await refund(id);
    await expect.poll(async () => kinds(await processor.changes(seen))).toEqual(['refund_created', 'refund_failed']);
  });
});

describe('a card whose payments are disputed', () => {
  it.each([
    ['pm_card_createDispute', 'open', false],
    ['pm_card_createDisputeInquiry', 'inquiry', true],
  ])('%s is disputed in the same moment as it is captured', async (token, status, refundable) => {
    const id = await captured(token);
    expect(await processor.view(id)).toMatchObject({ refundable, disputes: [{ amount: 700, status, refundable }] });
  });
});
