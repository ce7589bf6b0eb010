/** What a transfer does when its steps fail, and in which order. */
import { describe, expect, test } from 'vitest';
import { refusal } from '../../domain/errors.js';
import type { TransferStatus } from '../../domain/transfers/states.js';
import { transferWorkflowId } from '../../workflows/transfer/contract.js';
import { always, expectSame, fails, lasts, oneAfterTheOther } from './answers.js';
import { anyInput, faultyWorker, newId, type SagaRun, type Script } from './faulty-worker.js';

const is = (status: TransferStatus) => ({ outcome: 'done', state: { status, received: null }, transitions: [] });
const refused = (status: TransferStatus) => ({
  ...{ outcome: 'refused', state: { status, received: null }, transitions: [] },
  refusal: refusal('insufficient_stock', 'too little'),
});

/** Steps that all succeed. */
const good: Script = {
  openTransfer: () => is('reserved'),
  moveTransfer: () => is('completed'),
  shipTransfer: () => is('in_transit'),
  undoTransfer: ({ to }) => is(to),
  closeTransfer: ({ to }) => is(to),
  reviewTransfer: () => is('manual_review'),
  openReview: () => undefined,
  closeReview: () => undefined,
};
const begin = faultyWorker(good);

function send(mode: 'immediate' | 'shipped', script: Script): Promise<SagaRun> {
  const transferId = newId('tra');
  const input = {
    ...{ transferId, sku: 'A', quantity: 2, from: 'main', to: 'there', mode, reservationId: newId('rsv') },
    ...{ ...anyInput, requestedAt: new Date().toISOString() },
  };
  return begin('transfer', transferWorkflowId(transferId), input, script);
}

describe('a transfer', () => {
  test('that the ledger refuses to move gives its goods back and fails', async () => {
    const run = await send('immediate', { moveTransfer: () => refused('reserved') });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'failed' });
    expect(run.steps).toEqual(['openTransfer', 'moveTransfer', 'undoTransfer']);
    expect(run.argsOf('undoTransfer')[0]?.[0]).toMatchObject({ to: 'failed', failure: { code: 'insufficient_stock' } });
  });

  test('outlives an outage of the database with one key for the step', async () => {
    const run = await send('immediate', {
      moveTransfer: oneAfterTheOther<unknown>(new Error('gone'), new Error('gone'), is('completed')),
    });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'completed' });
    expect(run.steps).toEqual(['openTransfer', 'moveTransfer', 'moveTransfer', 'moveTransfer']);
    expectSame(run.argsOf('moveTransfer').map(([{ key }]) => key));
  });

  test('that is never received and is cancelled gives its goods back once', async () => {
    const run = await send('shipped', {});
    await run.until('shipTransfer');
    await run.running.signal('cancel', { reason: 'wrong' });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'cancelled' });
    expect(run.steps).toEqual(['openTransfer', 'shipTransfer', 'undoTransfer']);
    expect(run.argsOf('undoTransfer')[0]?.[0]).toMatchObject({ to: 'cancelled', reason: 'wrong', failure: null });
  });

  test('whose step fails for good is put before a person, and gives its goods back when it is cancelled', async () => {
    const run = await send('shipped', {
      shipTransfer: always(lasts),
    });
    await run.until('openReview');
    await run.running.signal('cancel');
    expect((await run.running.result()).status).toBe('failed');
    expect(run.argsOf('openReview')[0]?.[0]).toMatchObject({
      kind: 'step_failed',
      detail: { step: 'shipTransfer', canBeGivenUp: true },
    });
    expect(run.steps.slice(-2)).toEqual(['closeReview', 'undoTransfer']);
  });

  test('whose goods cannot be given back reads manual_review, and ends when they can be', async () => {
    let missing = true;
    const run = await send('shipped', {
      undoTransfer: ({ to }) => {
        if (missing) throw fails('server_error');
        return is(to);
      },
    });
    await run.until('shipTransfer');
    await run.running.signal('cancel');
    await run.until('reviewTransfer');
    expect(run.argsOf('undoTransfer').length).toBeGreaterThanOrEqual(5);
    missing = false;
    await run.decide('retry');
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'cancelled' });
    expect(run.steps.slice(-2)).toEqual(['undoTransfer', 'closeReview']);
    expect(run.steps).not.toContain('closeTransfer');
  });

  test('whose goods a person has given back only records its end', async () => {
    const run = await send('shipped', {
      undoTransfer: always(() => fails('server_error')),
    });
    await run.until('shipTransfer');
    await run.running.signal('cancel');
    await run.until('reviewTransfer');
    await run.decide('done');
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'cancelled' });
    expect(run.argsOf('closeTransfer')).toMatchObject([[{ to: 'cancelled', byHand: true }]]);
  });
});
