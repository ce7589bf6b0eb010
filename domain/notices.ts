/** Notices to our own staff. A notice is mailed after its change is committed and never delays it. */
import { formatMoney } from './money.js';
import { type DisputeStatus, disputeStatusMeanings } from './payments/disputes.js';

/** Units that one operation may move without a notice to the warehouse. */
export const largeMovementUnits = 10;

/** On hand fell to the reorder point or below. For the managers. */
interface LowStock {
  readonly template: 'low_stock';
  readonly sku: string;
  readonly location: string;
  readonly onHand: number;
  readonly reorderPoint: number;
}

/** One operation moved many units at once. For the warehouse. */
interface LargeMovement {
  readonly template: 'large_movement';
  readonly movements: readonly {
    readonly sku: string;
    readonly location: string;
    /** The kind of ledger row. */
    readonly kind: string;
    readonly onHandDelta: number;
    readonly reservedDelta: number;
  }[];
}

/** A replenishment was given up. For the managers. */
interface ReplenishmentFailed {
  readonly template: 'replenishment_failed';
  readonly replenishmentId: string;
  readonly sku: string;
  readonly location: string;
  readonly detail: string;
}

/** A dispute is new, or the bank has decided it. For the managers. */
interface DisputeNotice {
  readonly template: 'dispute';
  readonly disputeId: string;
  readonly status: DisputeStatus;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly reason: string;
  readonly paymentId: string;
  readonly orderId: string | null;
}

export type Notice = LowStock | LargeMovement | ReplenishmentFailed | DisputeNotice;

/** The mail addresses that receive notices. */
export interface NoticeAddresses {
  readonly warehouse: string;
  readonly managers: string;
}

/** The recipient, subject and text of a notice. */
export function noticeText(notice: Notice): { readonly to: keyof NoticeAddresses; subject: string; text: string } {
  switch (notice.template) {
    case 'low_stock':
      return {
        to: 'managers',
        subject: `Low stock: ${notice.sku} at ${notice.location}`,
        text: `${notice.onHand} of ${notice.sku} are left at ${notice.location}; the reorder point is ${notice.reorderPoint}.\n`,
      };
    case 'large_movement': {
      const lines = notice.movements.map(
        ({ sku, location, kind, onHandDelta, reservedDelta }) =>
          `  ${sku} at ${location}: ${kind} (on hand ${signed(onHandDelta)}, reserved ${signed(reservedDelta)})\n`,
      );
      const [first] = notice.movements;
      const about = notice.movements.length === 1 && first ? first.sku : `${notice.movements.length} movements`;
      return { to: 'warehouse', subject: `Large movement: ${about}`, text: `Moved at once:\n\n${lines.join('')}` };
    }
    case 'replenishment_failed':
      return {
        to: 'managers',
        subject: `Replenishment failed: ${notice.sku} at ${notice.location}`,
        text: `Nothing is on its way: ${notice.detail}.\n\nReplenishment ${notice.replenishmentId}\n`,
      };
    case 'dispute': {
      const { status, disputeId, paymentId, orderId, reason } = notice;
      const about = `A cardholder disputes ${formatMoney(notice)} (${reason}).`;
      return {
        to: 'managers',
        subject: `Dispute ${status}: ${orderId ?? paymentId}`,
        text: `${about} Its status is ${status}: ${disputeStatusMeanings[status]}.\n\nDispute ${disputeId}, payment ${paymentId}\n`,
      };
    }
  }
}

function signed(count: number): string {
  return count > 0 ? `+${count}` : String(count);
}
