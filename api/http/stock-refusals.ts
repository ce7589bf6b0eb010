/** What the ledger refuses, in the words of the contract. */
import { refusalOf } from '../../domain/refusals.js';
import type { StockRefusal } from '../../domain/stock.js';
import { fieldRefused, type Refused, refuse, refuseFields, refuseWith } from './reply.js';

/**
 * A refusal of the ledger as an answer.
 * @param skuInPath whether the path names the SKU: then an unknown one is a path that leads nowhere
 * @param within JSON pointer to what the refusal is about, where that is not the body as a whole
 */
export function refuseStock(refusal: StockRefusal, skuInPath: boolean, within = ''): Refused {
  switch (refusal.code) {
    case 'insufficient_stock': {
      const { sku, location, available, requested } = refusal;
      return refuseWith(refusalOf('insufficient_stock', { sku, location, available, requested }));
    }
    case 'unknown_sku':
      if (skuInPath) return refuse('not_found', 'no such product');
      return refuseFields('unknown_sku', [fieldRefused(`${within}/sku`, 'unknown_sku', { sku: refusal.sku })]);
    case 'unknown_location':
      return refuseFields('unknown_location', [
        fieldRefused(`${within}/location`, 'unknown_location', { location: refusal.location }),
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
