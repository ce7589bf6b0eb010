/**
 * Restocking an order that lacks stock. Available stock is held; the suppliers reserve the rest, deliver it, and it is held
 * too. A supplier that does not deliver fails the order. A cancel or a failure cancels the open reservations at the
 * suppliers.
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
import { type Goods, type SupplierEvent, SupplierReservations } from './supplier-reservations.js';

/** `given_up`: no supplier reservation is open any more, and the caller closes the order. */
export type RestockOutcome =
  | { readonly kind: 'restocked' }
  | {
      readonly kind: 'given_up';
      readonly to: 'cancelled' | 'failed';
      readonly caller: Caller;
      readonly reason: string;
      readonly failure: { readonly code: SupplierFailureCode; readonly detail: string } | null;
      /** The command that ended it; the caller answers it. */
      readonly cancel: CancelCommand | null;
      /** The answer to the caller who opened the order and still waits. */
      readonly refusal: Refusal;
    };

/**
 * Waits for the goods of an order that is `awaiting_restock`, and answers the caller who opened it once the suppliers have
 * accepted.
 * @param thenPay whether the order continues to payment once everything is held, and with which payment
 * @param serve carries out one queued command other than a cancel
 */
export async function restock(...args: Parameters<typeof waitForGoods>): Promise<RestockOutcome> {
  const wait = () => waitForGoods(...args);
  // Older histories have concurrent local activities of several branches.
  return patched('restock-in-branches') ? await inBranches(wait) : await wait();
}

async function waitForGoods(
  input: OrderInput,
  inbox: OrderInbox,
  record: OrderRecord,
  shortages: readonly Shortage[],
  thenPay: { readonly confirming: boolean; readonly payment: PendingPayment | null },
  serve: () => Promise<void>,
): Promise<RestockOutcome> {
  const supplier: Caller = { ...input.caller, actor: 'supplier' };
  const reservations = new SupplierReservations(input, shortages, () => release(record, supplier));
  record.publish();
  reservations.start();
  while (record.status === 'awaiting_restock') {
    await condition(() => inbox.hasWork || reservations.hasEvents);
    const cancel = inbox.takeCancel();
    if (cancel !== undefined) {
      if (await giveUp()) return cancelled(cancel);
      inbox.putBack(cancel);
      break;
    }
    const event = reservations.takeEvent();
    if (event?.kind === 'failed') {
      if (await giveUp()) return failed(event, supplier, shortages);
      break;
    }
    if (event === undefined) await serve();
    else if (!(await handle(event)) && (await giveUp())) return overtaken(supplier);
  }
  // Reached while events are open only where a lost task has received the last goods.
  await reservations.stop();
  return { kind: 'restocked' };

  /**
   * Cancels the open reservations at the suppliers. The database decides between giving up and receiving: false where a lost
   * task has already received the last goods.
   */
  async function giveUp(): Promise<boolean> {
    const given = await record.apply(database.giveUpRestock, record.step('give_up_restock', 'once', supplier));
    if (given.outcome === 'refused') return false;
    await reservations.giveUp(given.received ?? []);
    return true;
  }

  /** False where a lost task has given the order up: no goods are received for it any more. */
  async function handle(event: Exclude<SupplierEvent, { kind: 'failed' }>): Promise<boolean> {
    switch (event.kind) {
      case 'accepted':
        await record.apply(database.awaitSupplier, {
          ...record.step('await_supplier', 'once', supplier),
          reference: event.reference,
        });
        inbox.firstAnswer.give(record.answer());
        return true;
      case 'delayed':
        await record.apply(database.noteOrder, { ...record.step('note', event.id, supplier), reason: event.detail });
        return true;
      case 'ok':
        return await receive(event.goods);
    }
  }

  /** Receives the goods into stock. From then on nothing must be cancelled at the supplier. */
  async function receive(goods: Goods): Promise<boolean> {
    const { line, sku, quantity, reservationId } = goods.shortage;
    const restocked = await record.apply(database.restockOrder, {
      ...record.step('restock', String(line), supplier),
      line,
      quantity,
      reservationId,
      reference: goods.reference ?? '',
      holdSeconds: input.holdSeconds,
      ...thenPay,
      reason: `${quantity} of ${sku} received: ${goods.reference}`,
    });
    if (restocked.outcome === 'refused') return false;
    goods.mayHoldGoods = false;
    return true;
  }
}

/** Frees the order's stock for other buyers while the supplier's cancellation is retried. */
async function release(record: OrderRecord, caller: Caller): Promise<void> {
  await record.apply(database.releaseOrder, {
    ...record.step('release', 'once', caller),
    reason: 'its stock is free again; cancelling at the supplier keeps failing, and a review is open',
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

/** A lost task has given the order up, and its reason is lost too. A caller who cancelled it and got no answer finds it cancelled. */
function overtaken(caller: Caller): RestockOutcome {
  return {
    kind: 'given_up',
    to: 'cancelled',
    caller,
    reason: 'given up before the goods arrived',
    failure: null,
    cancel: null,
    refusal: cannotBecome('cancelled', 'reserved'),
  };
}

function failed(
  { code, detail }: Extract<SupplierEvent, { kind: 'failed' }>,
  caller: Caller,
  [first]: readonly Shortage[],
): RestockOutcome {
  if (first === undefined) throw new Error('an order without shortages has no supplier to wait for');
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
