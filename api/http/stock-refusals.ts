/** Turns refusals of the ledger into answers. */
import { refusalOf } from '../../domain/refusals.js';
import type { StockRefusal } from '../../domain/stock.js';
import { fieldRefused, type Refused, refuse, refuseFields, refuseWith } from './reply.js';

/**
 * The answer for a refusal of the ledger.
 * @param skuInPath whether the SKU comes from the path; an unknown one is then 404
 * @param within JSON pointer to the part of the body that was refused; '' is the whole body
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
      // Not `status`, which is the HTTP status in a problem document (RFC 9457).
      return refuse('reservation_decided', `the reservation is ${refusal.status}`, {
        reservationStatus: refusal.status,
      });
  }
}
