/** Checks an order's lines before its saga starts. Writes nothing. */
import { findLocations, findProducts } from '../../db/catalogue/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { maxMinorUnits } from '../../domain/limits.js';
import { parseMinorUnits, totalOf } from '../../domain/money.js';
import { detailOf, refusalOf } from '../../domain/refusals.js';
import { mainLocation } from '../../domain/stock.js';
import { fieldRefused, type Refused, refuseFields, refuseWith } from '../http/reply.js';

export interface RequestedLine {
  readonly sku: string;
  readonly quantity: number;
  readonly location: string;
}

export type CheckedLines = { readonly kind: 'accepted'; readonly total: number } | Refused;

/**
 * Adds up the lines, or refuses them.
 * @param pointerTo the JSON pointer of a line in the request's body
 * @returns the total in minor units
 */
export async function checkLines(
  db: Database,
  lines: readonly RequestedLine[],
  pointerTo: (line: number) => string,
): Promise<CheckedLines> {
  if (lines.length === 0) return { kind: 'accepted', total: 0 };
  const skus = [...new Set(lines.map((line) => line.sku))];
  // `main` always exists.
  const codes = [...new Set(lines.map((line) => line.location))].filter((code) => code !== mainLocation);
  const [products, locations] = await Promise.all([findProducts(db, skus), findLocations(db, codes)]);
  const bySku = new Map(products.map((product) => [product.sku, product]));
  const known = new Set([mainLocation, ...locations.map((location) => location.code)]);

  const unknown = lines.flatMap(({ sku }, index) =>
    bySku.has(sku) ? [] : [fieldRefused(`${pointerTo(index)}/sku`, 'unknown_sku', { sku })],
  );
  if (unknown.length > 0) return refuseFields('unknown_sku', unknown);
  const nowhere = lines.flatMap(({ location }, index) =>
    known.has(location) ? [] : [fieldRefused(`${pointerTo(index)}/location`, 'unknown_location', { location })],
  );
  if (nowhere.length > 0) return refuseFields('unknown_location', nowhere);
  const inactive = products.find((product) => product.status !== 'active');
  if (inactive) return refuseWith(refusalOf('product_not_active', { sku: inactive.sku, status: inactive.status }));

  const priced = lines.flatMap((line) => {
    const product = bySku.get(line.sku);
    const amount = product && parseMinorUnits(product.priceAmount);
    if (!product || amount === null || amount === undefined) return [];
    return [{ quantity: line.quantity, unitPrice: { amount, currency: product.priceCurrency } }];
  });
  const total = totalOf(priced);
  if (total.kind === 'total') return { kind: 'accepted', total: total.total.amount };
  const detail =
    total.kind === 'too_large'
      ? detailOf('validation_failed', { rule: 'max_total', max: maxMinorUnits })
      : `all lines of an order must have the same currency, not ${total.currencies.join(' and ')}`;
  return refuseFields('validation_failed', [{ pointer: '/lines', code: total.kind, detail }]);
}
