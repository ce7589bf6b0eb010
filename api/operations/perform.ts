/** Carries out inventory operations on the ledger, and turns its results into answers. */
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
 * Carries out operations independently, in one call of the ledger. Returns their outcomes in order. The key of each
 * operation derives from the call's, so that the call may be repeated.
 */
export async function perform(
  call: CallContext,
  operations: readonly InventoryOperation[],
  { connection: { sql }, ledger, settings }: ApiDeps,
): Promise<readonly Outcome[]> {
  const holdIds = operations.flatMap((operation) =>
    operation.operation === 'release' ? [operation.reservationId] : [],
  );
  const [products, holds] = await Promise.all([
    findProductTerms(sql, [...new Set(operations.map(({ sku }) => sku))]),
    findHolds(sql, holdIds),
  ]);
  const known: Known = {
    products: new Map(products.map((product) => [product.sku, product])),
    holds: new Map(holds.map((hold) => [hold.id, hold])),
  };
  const planned = operations.map((operation, index): StockOperation | Refused => {
    const refused = refusedUpfront(operation, known, call.resumed);
    if (refused) return refused;
    return {
      key: operationKey(call, index),
      actor: call.caller.actor,
      announceAbove: largeMovementUnits,
      commands: [commandOf(operation, childId('rsv', call.ids.update, index), settings.reservationTtlSeconds)],
    };
  });
  const results = await ledger.apply(planned.flatMap((each) => ('key' in each ? [each] : [])));
  let next = 0;
  return operations.map((operation, index) => {
    const each = planned[index];
    if (each !== undefined && 'kind' in each) return each;
    const outcome = outcomeOf(operation, results[next++], known);
    if (outcome.kind === 'done') logOperation(call, outcome.result);
    return outcome;
  });
}

/** The ledger key of the call's operation at this index. */
export function operationKey(call: CallContext, index: number): string {
  return `api/${call.ids.update}/${index}`;
}

/** Whether stock is at or below the reorder point and a supplier can refill it: the rule of the SQL function `is_low`. */
function isLow(product: ProductTerms | undefined, onHand: number): boolean {
  if (product === undefined || product.reorderPoint === null || product.supplierId === null) return false;
  return product.status === 'active' && onHand <= product.reorderPoint;
}

/** Refuses what needs no ledger: an inactive product, or a hold that is not what the operation says it is. */
function refusedUpfront(operation: InventoryOperation, known: Known, resumed: boolean): Refused | null {
  if (operation.operation === 'reserve') {
    const status = known.products.get(operation.sku)?.status;
    // What an earlier attempt has reserved stays reserved, even if the product is no longer active.
    if (status === undefined || status === 'active' || resumed) return null;
    return refuse('product_not_active', `product ${operation.sku} is ${status}`, { sku: operation.sku });
  }
  if (operation.operation === 'consume') return null;
  const hold = known.holds.get(operation.reservationId);
  if (!hold) return refuse('not_found', 'no such reservation');
  if (hold.orderId !== null)
    return refuse('invalid_state', 'this hold belongs to an order; cancel the order', { orderId: hold.orderId });
  if (hold.transferId !== null)
    return refuse('invalid_state', 'this hold belongs to a transfer; cancel the transfer', {
      transferId: hold.transferId,
    });
  if (hold.sku !== operation.sku)
    return refuse('invalid_state', `this reservation holds ${hold.sku}, not ${operation.sku}`, { sku: hold.sku });
  if (operation.location !== undefined && hold.location !== operation.location)
    return refuse('invalid_state', `this reservation holds goods at ${hold.location}, not at ${operation.location}`, {
      location: hold.location,
    });
  return null;
}

function commandOf(operation: InventoryOperation, newHoldId: string, holdSeconds: number): StockCommand {
  switch (operation.operation) {
    case 'reserve': {
      const { sku, location, quantity } = operation;
      return { kind: 'reserve', reservationId: newHoldId, sku, location, quantity, holdSeconds };
    }
    case 'consume':
      return { kind: 'consume', sku: operation.sku, location: operation.location, quantity: operation.quantity };
    case 'release':
      return { kind: 'cancel', reservationId: operation.reservationId, quantity: operation.quantity };
  }
}

function outcomeOf(requested: InventoryOperation, result: StockResult | undefined, known: Known): Outcome {
  if (result === undefined) throw new Error(`the ledger gave no answer to ${requested.operation} ${requested.sku}`);
  if (result.outcome === 'refused') return refuseStock(result.refusal, false);
  const [moved] = result.movements;
  const [hold] = result.reservations;
  if (!moved) {
    // To the ledger, releasing a hold that has ended already is no error; here it is.
    const status = hold?.status ?? 'cancelled';
    return refuse('reservation_decided', `the reservation is ${status}`, { reservationStatus: status });
  }
  const { operation, sku, quantity } = requested;
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

/** The figures of a level after an operation, as answers show them. */
export function levelAfter(product: ProductTerms | undefined, onHand: number, reserved: number) {
  return { onHand, reserved, available: onHand - reserved, replenishmentTriggered: isLow(product, onHand) };
}

function logOperation(call: CallContext, { operation, sku, quantity, reservationId }: OperationResult): void {
  const { requestId, actor } = call.caller;
  call.log.info({ operation, sku, quantity, reservationId, requestId, actor }, 'inventory operation done');
}
