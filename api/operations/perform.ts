/** What inventory operations ask of the ledger, and what its answers mean to a client. */
import { findProductTerms, type ProductTerms } from '../../db/catalogue/queries.js';
import { findHolds, type HoldOwner } from '../../db/stock/reservations.js';
import { largeMovementUnits } from '../../domain/notices.js';
import type { StockCommand, StockOperation, StockResult } from '../../domain/stock.js';
import type { ApiDeps } from '../deps.js';
import { childId } from '../http/ids.js';
import { type Refused, refuse } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { refuseStock } from '../http/stock-refusals.js';
import type { InventoryOperation, OperationResult } from './schemas.js';

export type Outcome = { readonly kind: 'done'; readonly result: OperationResult } | Refused;

interface Known {
  readonly products: ReadonlyMap<string, ProductTerms>;
  readonly holds: ReadonlyMap<string, HoldOwner>;
}

/**
 * Does operations, each for itself, in one call of the ledger. Answers in their order. Each has a key of its own that
 * derives from the call's, so that the call may be repeated.
 */
export async function perform(
  call: CallContext,
  operations: readonly InventoryOperation[],
  { connection: { sql }, ledger, settings }: ApiDeps,
): Promise<readonly Outcome[]> {
  const holdIds = operations.flatMap((wanted) => (wanted.operation === 'release' ? [wanted.reservationId] : []));
  const [products, holds] = await Promise.all([
    findProductTerms(sql, [...new Set(operations.map(({ sku }) => sku))]),
    findHolds(sql, holdIds),
  ]);
  const known: Known = {
    products: new Map(products.map((product) => [product.sku, product])),
    holds: new Map(holds.map((hold) => [hold.id, hold])),
  };
  const asked = operations.map((wanted, index): StockOperation | Refused => {
    const refused = refusedBefore(wanted, known, call.resumed);
    if (refused) return refused;
    return {
      key: operationKey(call, index),
      actor: call.caller.actor,
      announceAbove: largeMovementUnits,
      commands: [commandOf(wanted, childId('rsv', call.ids.update, index), settings.reservationTtlSeconds)],
    };
  });
  const results = await ledger.apply(asked.flatMap((each) => ('key' in each ? [each] : [])));
  let next = 0;
  return operations.map((wanted, index) => {
    const each = asked[index];
    if (each !== undefined && 'kind' in each) return each;
    const outcome = outcomeOf(wanted, results[next++], known);
    if (outcome.kind === 'done') log(call, outcome.result);
    return outcome;
  });
}

/** The key of the ledger under which the call's operation at this place is done. */
export function operationKey(call: CallContext, index: number): string {
  return `api/${call.ids.update}/${index}`;
}

/** Whether so much on hand has more asked for: the rule of the database's function `is_low`. */
function isLow(product: ProductTerms | undefined, onHand: number): boolean {
  if (product === undefined || product.reorderPoint === null || product.supplierId === null) return false;
  return product.status === 'active' && onHand <= product.reorderPoint;
}

/** What is refused without asking the ledger, since it does not change: whose a hold is, and of what. */
function refusedBefore(wanted: InventoryOperation, known: Known, resumed: boolean): Refused | null {
  if (wanted.operation === 'reserve') {
    const status = known.products.get(wanted.sku)?.status;
    // What an earlier try has reserved stays reserved, whatever has become of the product since.
    if (status === undefined || status === 'active' || resumed) return null;
    return refuse('product_not_active', `product ${wanted.sku} is ${status}`, { sku: wanted.sku });
  }
  if (wanted.operation === 'consume') return null;
  const hold = known.holds.get(wanted.reservationId);
  if (!hold) return refuse('not_found', 'no such reservation');
  if (hold.orderId !== null)
    return refuse('invalid_state', 'this hold belongs to an order; cancel the order', { orderId: hold.orderId });
  if (hold.transferId !== null)
    return refuse('invalid_state', 'this hold belongs to a transfer; cancel the transfer', {
      transferId: hold.transferId,
    });
  if (hold.sku !== wanted.sku)
    return refuse('invalid_state', `this reservation holds ${hold.sku}, not ${wanted.sku}`, { sku: hold.sku });
  if (wanted.location !== undefined && hold.location !== wanted.location)
    return refuse('invalid_state', `this reservation holds goods at ${hold.location}, not at ${wanted.location}`, {
      location: hold.location,
    });
  return null;
}

function commandOf(wanted: InventoryOperation, newHoldId: string, holdSeconds: number): StockCommand {
  switch (wanted.operation) {
    case 'reserve': {
      const { sku, location, quantity } = wanted;
      return { kind: 'reserve', reservationId: newHoldId, sku, location, quantity, holdSeconds };
    }
    case 'consume':
      return { kind: 'consume', sku: wanted.sku, location: wanted.location, quantity: wanted.quantity };
    case 'release':
      return { kind: 'cancel', reservationId: wanted.reservationId, quantity: wanted.quantity };
  }
}

function outcomeOf(wanted: InventoryOperation, result: StockResult | undefined, known: Known): Outcome {
  if (result === undefined) throw new Error(`the ledger gave no answer to ${wanted.operation} ${wanted.sku}`);
  if (result.outcome === 'refused') return refuseStock(result.refusal, false);
  const [moved] = result.movements;
  const [hold] = result.reservations;
  if (!moved) {
    // The ledger finds nothing left to do where a hold was given back before: here that is not what was asked.
    const status = hold?.status ?? 'cancelled';
    return refuse('reservation_decided', `the reservation is ${status}`, { reservationStatus: status });
  }
  const { operation, sku, quantity } = wanted;
  return {
    kind: 'done',
    result: {
      operation,
      sku,
      quantity,
      ...(hold && { reservationId: hold.id }),
      ...levelAfter(known.products.get(sku), moved.onHandAfter, moved.reservedAfter),
    },
  };
}

/** The figures of a level, as answers show them. */
export function levelAfter(product: ProductTerms | undefined, onHand: number, reserved: number) {
  return { onHand, reserved, available: onHand - reserved, replenishmentTriggered: isLow(product, onHand) };
}

function log(call: CallContext, { operation, sku, quantity, reservationId }: OperationResult): void {
  const { requestId, actor } = call.caller;
  call.log.info({ operation, sku, quantity, reservationId, requestId, actor }, 'inventory operation done');
}
