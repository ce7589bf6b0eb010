/** What the ledger refuses, in the words of the contract. */
import { insufficientStock } from '../../domain/errors.js';
import type { StockRefusal } from '../../domain/stock.js';
import { type Refused, refuse, refuseFields, refuseWith } from './reply.js';

/**
 * A refusal of the ledger as an answer.
 * @param skuInPath whether the path names the SKU: then an unknown one is a path that leads nowhere
 * @param within JSON pointer to what the refusal is about, where that is not the body as a whole
 */
export function refuseStock(refusal: StockRefusal, skuInPath: boolean, within = ''): Refused {
  switch (refusal.code) {
    case 'insufficient_stock':
      return refuseWith(insufficientStock(refusal.sku, refusal.location, refusal.available, refusal.requested));
    case 'unknown_sku':
      if (skuInPath) return refuse('not_found', 'no such product');
      return refuseFields('unknown_sku', [
        { pointer: `${within}/sku`, code: 'unknown_sku', detail: `there is no product ${refusal.sku}` },
      ]);
    case 'unknown_location':
      return refuseFields('unknown_location', [
        { pointer: `${within}/location`, code: 'unknown_location', detail: `there is no location ${refusal.location}` },
      ]);
    case 'reservation_not_found':
      return refuse('not_found', 'no such reservation');
    case 'reservation_decided':
      // `status` of a problem document is the HTTP status (RFC 9457).
      return refuse('reservation_decided', `the reservation is ${refusal.status}`, {
        reservationStatus: refusal.status,
      });
  }
}
