/** Checks an order's lines and money before its saga starts. Writes nothing; SQL decides again when the order is opened. */
import { findLocations, findProducts, type ProductRow } from '../../db/catalogue/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { maxMinorUnits } from '../../domain/limits.js';
import type { Currency } from '../../domain/money.js';
import { faultIn, type LineMoney, type MoneyFault, type OrderMoney, totalsOf } from '../../domain/orders/money.js';
import type { GivenLineMoney, GivenOrderMoney } from '../../domain/orders/steps.js';
import { detailOf, refusalOf } from '../../domain/refusals.js';
import type { Scope } from '../../domain/scopes.js';
import { mainLocation } from '../../domain/stock.js';
import { type FieldError, fieldRefused, type Refused, refuseFields, refuseWith } from '../http/reply.js';

interface RequestedLine extends GivenLineMoney {
  readonly sku: string;
  readonly quantity: number;
  readonly location: string;
}

/** What is checked: lines, and the money of the order that has them. */
export interface RequestedLines {
  readonly lines: readonly RequestedLine[];
  /** Absent: a line that joins an order whose charges and taxes SQL knows. */
  readonly money?: GivenOrderMoney;
  /** The scopes of the caller's key. */
  readonly scopes: readonly string[];
  /** The JSON pointer of a line in the request's body. */
  readonly pointerTo: (line: number) => string;
}

/** `total` in minor units. */
export type CheckedLines = { readonly kind: 'accepted'; readonly total: number } | Refused;

const priceScope: Scope = 'orders:price';
const noMoney: GivenOrderMoney = { charges: [], taxesIncluded: false, expectedTotal: null };

/** Adds up the lines and charges, or refuses them. */
export async function checkLines(db: Database, requested: RequestedLines): Promise<CheckedLines> {
  const { lines, money = noMoney } = requested;
  const skus = [...new Set(lines.map((line) => line.sku))];
  const products = skus.length === 0 ? [] : await knownProducts(db, requested, skus);
  if ('kind' in products) return products;
  const bySku = new Map(products.map((product) => [product.sku, product]));
  const priced = lines.flatMap((line) => {
    const product = bySku.get(line.sku);
    return product === undefined ? [] : [pricedLine(line, product)];
  });
  return priceRefusal(requested, bySku) ?? checkMoney(requested, money, priced);
}

/** The products of the lines. Refuses unknown and inactive ones, and unknown locations. */
async function knownProducts(
  db: Database,
  { lines, pointerTo }: RequestedLines,
  skus: readonly string[],
): Promise<readonly ProductRow[] | Refused> {
  // `main` always exists.
  const codes = [...new Set(lines.map((line) => line.location))].filter((code) => code !== mainLocation);
  const [products, locations] = await Promise.all([findProducts(db, skus), findLocations(db, codes)]);
  const sold = new Set(products.map((product) => product.sku));
  const known = new Set([mainLocation, ...locations.map((location) => location.code)]);

  const unknown = lines.flatMap(({ sku }, index) =>
    sold.has(sku) ? [] : [fieldRefused(`${pointerTo(index)}/sku`, 'unknown_sku', { sku })],
  );
  if (unknown.length > 0) return refuseFields('unknown_sku', unknown);
  const nowhere = lines.flatMap(({ location }, index) =>
    known.has(location) ? [] : [fieldRefused(`${pointerTo(index)}/location`, 'unknown_location', { location })],
  );
  if (nowhere.length > 0) return refuseFields('unknown_location', nowhere);
  const inactive = products.find((product) => product.status !== 'active');
  if (inactive) return refuseWith(refusalOf('product_not_active', { sku: inactive.sku, status: inactive.status }));
  return products;
}

/** A line with its own price, or the catalogue's. */
export interface PricedLine extends LineMoney {
  readonly currency: Currency;
}

export function pricedLine(
  { quantity, unitPrice, discount = 0, tax = 0 }: GivenLineMoney & { readonly quantity: number },
  product: Pick<ProductRow, 'priceAmount' | 'priceCurrency'>,
): PricedLine {
  const { amount, currency } = unitPrice ?? { amount: product.priceAmount, currency: product.priceCurrency };
  return { quantity, unitPrice: amount, discount, tax, currency };
}

/** Refuses prices of the caller's own where its key may not set them. */
function priceRefusal(
  { lines, scopes, pointerTo }: RequestedLines,
  bySku: ReadonlyMap<string, ProductRow>,
): Refused | null {
  if (scopes.includes(priceScope)) return null;
  const own = lines.flatMap(({ sku, unitPrice }, index): FieldError[] => {
    const product = bySku.get(sku);
    if (unitPrice === undefined || product === undefined) return [];
    if (unitPrice.amount === product.priceAmount && unitPrice.currency === product.priceCurrency) return [];
    const detail = `is not the price in the catalogue; a key without the scope ${priceScope} cannot set prices`;
    return [{ pointer: `${pointerTo(index)}/unitPrice`, code: 'price_not_allowed', detail }];
  });
  return own.length === 0 ? null : refuseFields('price_not_allowed', own);
}

function checkMoney(
  { pointerTo }: RequestedLines,
  { charges, taxesIncluded, expectedTotal }: GivenOrderMoney,
  lines: readonly PricedLine[],
): CheckedLines {
  const currencies = [...new Set(lines.map((line) => line.currency))];
  if (currencies.length > 1) {
    const detail = `all lines of an order must have the same currency, not ${currencies.join(' and ')}`;
    return refuseFields('validation_failed', [{ pointer: '/lines', code: 'mixed_currencies', detail }]);
  }
  const money: OrderMoney = { lines, charges, taxesIncluded };
  const fault = faultIn(money);
  if (fault !== null) return refuseFields('validation_failed', [faultyField(fault, pointerTo)]);
  const { total } = totalsOf(money);
  // Charges alone have no currency of their own.
  const computed = { amount: total, currency: currencies[0] ?? expectedTotal?.currency ?? 'USD' };
  const isExpected =
    expectedTotal === null || (expectedTotal.amount === total && expectedTotal.currency === computed.currency);
  return isExpected
    ? { kind: 'accepted', total }
    : refuseWith(refusalOf('total_mismatch', { expected: expectedTotal, computed }));
}

/** Where the money of an order is wrong. */
function faultyField(fault: MoneyFault, pointerTo: (line: number) => string): FieldError {
  switch (fault.kind) {
    case 'discount_too_large':
      return {
        pointer: `${pointerTo(fault.line)}/discount`,
        code: 'too_big',
        detail: `must be at most ${fault.max}, the subtotal of the line`,
      };
    case 'tax_too_large':
      return {
        pointer: `${pointerTo(fault.line)}/tax`,
        code: 'too_big',
        detail: `must be at most ${fault.max}, the amount that includes it`,
      };
    case 'charge_tax_too_large':
      return {
        pointer: `/charges/${fault.charge}/tax`,
        code: 'too_big',
        detail: `must be at most ${fault.max}, the amount that includes it`,
      };
    case 'total_too_large':
      return {
        pointer: '/lines',
        code: 'too_large',
        detail: detailOf('validation_failed', { rule: 'max_total', max: maxMinorUnits }),
      };
  }
}
