/**
 * An order that lacks stock while its suppliers are asked for it. What is there is held; the rest is put aside at the
 * suppliers, comes in when they say so, and is held too. A supplier who does not deliver ends the order, and so does a
 * cancel: then what the suppliers have put aside is cancelled there.
 */
import { condition, patched } from '@temporalio/workflow';
import type { Refusal, SupplierFailureCode } from '../../domain/errors.js';
import type { PendingPayment, Shortage } from '../../domain/orders/steps.js';
import { refusalOf } from '../../domain/refusals.js';
import { inBranches } from '../shared/branches.js';
import type { Caller } from '../shared/contract.js';
import { database } from '../shared/proxies.js';
import type { OrderInput } from './contract.js';
import { type CancelCommand, cannotBecome, type OrderInbox } from './inbox.js';
import type { OrderRecord } from './record.js';
import { type Goods, type News, SupplierTalks } from './supplier-talks.js';

/** `given_up`: nothing is open at a supplier any more, and the order is to be closed. */
export type RestockOutcome =
  | { readonly kind: 'restocked' }
  | {
      readonly kind: 'given_up';
      readonly to: 'cancelled' | 'failed';
      readonly caller: Caller;
      readonly reason: string;
      readonly failure: { readonly code: SupplierFailureCode; readonly detail: string } | null;
      /** The command that ended it, which is to be answered. */
      readonly cancel: CancelCommand | null;
      /** For the caller who opened the order, if that is not answered yet. */
      readonly refusal: Refusal;
    };

/**
 * Waits for the goods of an order that is `awaiting_restock`, and answers the caller who opened it once the suppliers have
 * accepted.
 * @param going whether to go on to payment as soon as everything is held, and which
 * @param serve answers one other command that came meanwhile
 */
export async function restock(...args: Parameters<typeof waitForGoods>): Promise<RestockOutcome> {
  const wait = () => waitForGoods(...args);
  // Histories of before have local activities of several branches at the same time.
  return patched('restock-in-branches') ? await inBranches(wait) : await wait();
}

async function waitForGoods(
  input: OrderInput,
  inbox: OrderInbox,
  record: OrderRecord,
  shortages: readonly Shortage[],
  going: { readonly confirming: boolean; readonly payment: PendingPayment | null },
  serve: () => Promise<void>,
): Promise<RestockOutcome> {
  const supplier: Caller = { ...input.caller, actor: 'supplier' };
  const talks = new SupplierTalks(input, shortages, () => release(record, supplier));
  record.publish();
  talks.begin();
  while (record.status === 'awaiting_restock') {
    await condition(() => inbox.hasWork || talks.hasNews);
    const cancel = inbox.takeCancel();
    if (cancel !== undefined) {
      if (await giveUp()) return cancelled(cancel);
      inbox.putBack(cancel);
      break;
    }
    const news = talks.takeNews();
    if (news?.kind === 'failed') {
      if (await giveUp()) return failed(news, supplier, shortages);
      break;
    }
    if (news === undefined) await serve();
    else if (!(await takeUp(news)) && (await giveUp())) return overtaken(supplier);
  }
  // Only where a task that was lost had taken the goods in: there is nothing to wait for.
  await talks.end();
  return { kind: 'restocked' };

  /**
   * Cancels at the suppliers what has not come in. The database decides between that and goods that come in: false where a
   * task that was lost has taken the last of them in before.
   */
  async function giveUp(): Promise<boolean> {
    const given = await record.apply(database.giveUpRestock, record.step('give_up_restock', 'once', supplier));
    if (given.outcome === 'refused') return false;
    await talks.giveUp(given.received ?? []);
    return true;
  }

  /** False where the order was given up before, by a task that was lost: then nothing comes in for it any more. */
  async function takeUp(news: Exclude<News, { kind: 'failed' }>): Promise<boolean> {
    switch (news.kind) {
      case 'accepted':
        await record.apply(database.awaitSupplier, {
          ...record.step('await_supplier', 'once', supplier),
          reference: news.reference,
        });
        inbox.firstAnswer.give(record.answer());
        return true;
      case 'delayed':
        await record.apply(database.noteOrder, { ...record.step('note', news.id, supplier), reason: news.detail });
        return true;
      case 'ok':
        return await receive(news.goods);
    }
  }

  /** Takes the goods in: from then on they are ours, and there is nothing to cancel at the supplier. */
  async function receive(goods: Goods): Promise<boolean> {
    const { line, sku, quantity, reservationId } = goods.shortage;
    const restocked = await record.apply(database.restockOrder, {
      ...record.step('restock', String(line), supplier),
      line,
      quantity,
      reservationId,
      reference: goods.reference ?? '',
      holdSeconds: input.holdSeconds,
      ...going,
      reason: `${quantity} of ${sku} received: ${goods.reference}`,
    });
    if (restocked.outcome === 'refused') return false;
    goods.mayHoldGoods = false;
    return true;
  }
}

/** Nobody can buy what is held for an order that is over but for a supplier who cannot be reached. */
async function release(record: OrderRecord, caller: Caller): Promise<void> {
  await record.apply(database.releaseOrder, {
    ...record.step('release', 'once', caller),
    reason: 'its stock is free again; cancelling at the supplier does not succeed, a person is told',
  });
}

function cancelled(cancel: CancelCommand): RestockOutcome {
  return {
    kind: 'given_up',
    to: 'cancelled',
    caller: cancel.request.caller,
    reason: cancel.request.reason ?? 'cancelled',
    failure: null,
    cancel,
    refusal: cannotBecome('cancelled', 'reserved'),
  };
}

/** Who gave it up is not known any more; a caller who cancelled it and got no answer asks again, and finds it cancelled. */
function overtaken(caller: Caller): RestockOutcome {
  return {
    kind: 'given_up',
    to: 'cancelled',
    caller,
    reason: 'given up while the goods were on their way',
    failure: null,
    cancel: null,
    refusal: cannotBecome('cancelled', 'reserved'),
  };
}

function failed(
  { code, detail }: Extract<News, { kind: 'failed' }>,
  caller: Caller,
  [first]: readonly Shortage[],
): RestockOutcome {
  if (first === undefined) throw new Error('an order without shortages waits for no supplier');
  return {
    kind: 'given_up',
    to: 'failed',
    caller,
    reason: detail,
    failure: { code, detail },
    cancel: null,
    refusal: refusalOf('insufficient_stock', {
      sku: first.sku,
      location: first.location,
      available: first.available,
      requested: first.requested,
    }),
  };
}
