/** Stock in as few lines as possible: two numbers per location, and holds on them. No keys, no clocks. */
import type { ReservationStatus, StockCommand } from '../../../domain/stock.js';

export interface Place {
  readonly onHand: number;
  readonly reserved: number;
}

export interface Hold {
  readonly sku: string;
  readonly location: string;
  readonly quantity: number;
  readonly status: ReservationStatus;
  readonly overdue: boolean;
}

/** `moves`: whether it writes a ledger row. */
export type Effect =
  | { readonly onHand: number; readonly reserved: number; readonly moves: boolean; readonly hold?: Hold }
  | { readonly refused: 'insufficient_stock'; readonly available: number; readonly requested: number }
  | { readonly refused: 'reservation_decided'; readonly status: ReservationStatus }
  | { readonly refused: 'reservation_not_found' };

const nothing = { onHand: 0, reserved: 0, moves: false };

function change({ onHand, reserved }: Place, deltaOnHand: number, deltaReserved: number, hold?: Hold): Effect {
  if (onHand + deltaOnHand < reserved + deltaReserved)
    return { refused: 'insufficient_stock', available: onHand - reserved, requested: deltaReserved - deltaOnHand };
  return { onHand: deltaOnHand, reserved: deltaReserved, moves: true, ...(hold && { hold }) };
}

export function effect(command: StockCommand, place: Place, hold: Hold | undefined): Effect {
  switch (command.kind) {
    case 'receive':
    case 'return':
    case 'transfer_in':
      return change(place, command.quantity, 0);
    case 'consume':
    case 'transfer_out':
    case 'lose':
      return change(place, -command.quantity, 0);
    case 'adjust':
      return change(place, command.delta, 0);
    case 'reserve': {
      const { sku, location, quantity, holdSeconds } = command;
      return change(place, 0, quantity, { sku, location, quantity, status: 'pending', overdue: holdSeconds === 0 });
    }
    default:
      return hold === undefined ? { refused: 'reservation_not_found' } : decide(command, place, hold);
  }
}

function decide(
  command: Extract<StockCommand, { kind: 'confirm' | 'cancel' | 'expire' | 'hold' }>,
  place: Place,
  hold: Hold,
): Effect {
  const decided = { refused: 'reservation_decided', status: hold.status } as const;
  const { quantity } = hold;
  switch (command.kind) {
    case 'confirm':
      if (hold.status === 'confirmed') return nothing;
      if (hold.status !== 'pending') return decided;
      if (hold.overdue) return { ...decided, status: 'expired' };
      return change(place, -quantity, -quantity, { ...hold, status: 'confirmed' });
    case 'cancel': {
      if (hold.status === 'cancelled') return nothing;
      if (hold.status !== 'pending') return decided;
      const part = command.quantity ?? quantity;
      if (part > quantity) return { refused: 'insufficient_stock', available: quantity, requested: part };
      if (part === quantity) return change(place, 0, -part, { ...hold, status: 'cancelled' });
      return change(place, 0, -part, { ...hold, quantity: quantity - part });
    }
    case 'expire':
      if (hold.status !== 'pending' || !hold.overdue) return nothing;
      return change(place, 0, -quantity, { ...hold, status: 'expired' });
    case 'hold':
      if (hold.status !== 'pending') return decided;
      if (hold.overdue) return { ...decided, status: 'expired' };
      return { ...nothing, hold: { ...hold, overdue: command.holdSeconds === 0 } };
  }
}
