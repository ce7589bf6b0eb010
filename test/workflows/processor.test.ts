/** What workflows do when a processor reports a change, and when its books cannot be adopted. */
import { describe, expect, test } from 'vitest';
import type { Unadopted } from '../../activities/adoption.js';
import { nothingCharged } from '../../domain/purchase/steps.js';
import { paymentWorkflowId } from '../../workflows/payment/contract.js';
import { processorSyncWorkflowId } from '../../workflows/processor/contract.js';
import { processorSignal } from '../../workflows/shared/contract.js';
import { authorized, captured, fails, oneAfterTheOther } from './answers.js';
import { anyInput, faultyWorker, newId, type Script } from './faulty-worker.js';

const begin = faultyWorker({});

const hourly = { ...anyInput.retry, retryBaseScale: 100 };

describe('a payment whose answer was lost', () => {
  const good: Script = {
    chargeCard: nothingCharged,
    scoreFraud: () => 0.1,
    authorizeCard: () => authorized,
    captureCard: () => captured,
    recordPayment: ({ status, failure }) => ({ status, failure }),
  };
  const pay = (script: Script) => {
    const paymentId = newId('pay');
    const input = {
      ...{ paymentId, amount: 900, currency: 'GBP', cardToken: 'tok_1', backupCardToken: null, customerId: null },
      ...{ email: null, reference: null, ...anyInput, retry: hourly, requestedAt: new Date().toISOString() },
    };
    return begin('payment', paymentWorkflowId(paymentId), input, { ...good, ...script });
  };

  test('is settled as soon as the processor reports it, long before it would ask again', async () => {
    const run = await pay({ authorizeCard: oneAfterTheOther<unknown>(fails('no_answer'), authorized) });
    await run.until('authorizeCard');
    await run.running.signal(processorSignal);
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'captured' });
    // The attempt after a report looks up first: it counts as a later one of the same operation.
    expect(run.argsOf('authorizeCard').map(([, budget]) => budget?.attemptsBefore ?? 0)).toEqual([0, 1]);
  });

  test('is settled while the server waits before the next attempt', async () => {
    const run = await pay({
      captureCard: oneAfterTheOther<unknown>(fails('no_answer'), fails('no_answer'), captured),
    });
    await run.until('captureCard');
    await run.running.signal(processorSignal);
    await run.until('captureCard', 2);
    await run.running.signal(processorSignal);
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'captured' });
    expect(run.steps.filter((step) => step === 'captureCard')).toHaveLength(3);
  });

  test('asks under one operation, however many reports come', async () => {
    const run = await pay({ authorizeCard: oneAfterTheOther<unknown>(fails('no_answer'), authorized) });
    await run.until('authorizeCard');
    await Promise.all(Array.from({ length: 50 }, () => run.running.signal(processorSignal)));
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'captured' });
    const operations = run.argsOf('authorizeCard').map(([operation]) => JSON.stringify(operation));
    expect(new Set(operations).size).toBe(1);
    expect(run.argsOf('recordPayment')).toHaveLength(1);
  });
});

describe('the reports of a processor', () => {
  const unadopted = (rowId: number, passing: boolean): Unadopted => ({
    ...{ gateway: 'sandbox', providerId: `auth_${rowId}`, paymentId: `pay_${rowId}`, rowIds: [rowId] },
    ...{ passing, error: 'scripted' },
  });
  const sync = (script: Script) =>
    begin(
      'processorSync',
      processorSyncWorkflowId(newId('batch')),
      { rowIds: [1, 2, 3], retry: anyInput.retry },
      script,
    );

  test('are read again for the payments that are left, and only those', async () => {
    const run = await sync({
      adoptReported: oneAfterTheOther<readonly Unadopted[]>(
        [unadopted(2, true), unadopted(3, false)],
        [unadopted(3, false)],
        [],
      ),
    });
    await run.running.result();
    expect(run.argsOf('adoptReported')).toEqual([[[1, 2, 3]], [[2, 3]], [[3]]]);
  });

  test('that cannot be adopted are left to a person, and the others go on', async () => {
    let asked = 0;
    const run = await sync({
      // The processor is down meanwhile for the one payment, and refuses the other; then one more answer is enough.
      adoptReported: () => (++asked > 20 ? [] : [unadopted(2, true), ...(asked <= 11 ? [unadopted(3, false)] : [])]),
      giveUpReported: () => undefined,
    });
    await run.running.result();
    expect(run.argsOf('giveUpReported')).toEqual([[unadopted(3, false), 11]]);
    expect(asked).toBe(21);
  });

  test('that are refused after a long outage have as many attempts as any', async () => {
    let asked = 0;
    const run = await sync({
      adoptReported: () => (++asked > 25 ? [] : [unadopted(2, asked <= 20)]),
      giveUpReported: () => undefined,
    });
    await run.running.result();
    expect(run.argsOf('giveUpReported')).toEqual([]);
  });
});

test('the look for changes is one activity', async () => {
  const run = await begin('processorChanges', newId('changes'), {}, { lookForChanges: () => undefined });
  await run.running.result();
  expect(run.steps).toEqual(['lookForChanges']);
});
