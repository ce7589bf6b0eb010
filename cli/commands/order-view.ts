/** How orders and their timelines look on a terminal. */
import { formatMoney } from '../../domain/money.js';
import type { Order } from '../connection/resources.js';
import { fields, moment, preciseMoment, table } from '../terminal/output.js';
import type { Resource } from '../terminal/session.js';
import { moreLine } from './options.js';

const lineColumns = [
  { title: 'SKU' },
  { title: 'QUANTITY', align: 'right' },
  { title: 'UNIT PRICE', align: 'right' },
  { title: 'DISCOUNT', align: 'right' },
  { title: 'TAX', align: 'right' },
  { title: 'TOTAL', align: 'right' },
  { title: 'LOCATION' },
  { title: 'HOLD' },
] as const;

export function describeOrder(found: Order): string {
  const { customer, payment } = found;
  const who = [customer.name, customer.email && `<${customer.email}>`, customer.id && `(${customer.id})`].filter(
    Boolean,
  );
  const head = fields([
    ['order', found.id],
    ['status', `${found.status}${stillUnderWay(found.status) ? ' (still under way)' : ''}`],
    ['customer', who.length > 0 ? who.join(' ') : null],
    ...moneyOf(found),
    ['payment', payment && describePayment(payment)],
    ['reference', found.externalReference],
    ['channel', found.channel],
    ['ship to', describeAddress(found.shippingAddress)],
    ['bill to', describeAddress(found.billingAddress)],
    ['tags', found.tags.join(', ') || null],
    ['metadata', pairs(found.metadata)],
    ['note', found.note],
    ['supplier', found.supplierReference],
    ['held until', found.expiresAt && moment(found.expiresAt)],
    ['cancelled', found.cancelReason],
    ['failure', found.failure && `${found.failure.code}: ${found.failure.detail}`],
    ['workflow', found.workflowId],
    ['created', moment(found.createdAt)],
  ]);
  if (found.lines.length === 0) return head;
  const rows = found.lines.map((line) => [
    line.sku,
    line.quantity,
    formatMoney(line.unitPrice),
    orNone({ amount: line.discount, currency: line.unitPrice.currency }),
    orNone({ amount: line.tax, currency: line.unitPrice.currency }),
    formatMoney(line.total),
    line.location,
    line.reservationId,
  ]);
  return `${head}\n${table(lineColumns, rows)}`;
}

/** The sums of an order. Those that add nothing to the total are left out. */
function moneyOf(found: Order): (readonly [string, string | null])[] {
  const { total, taxTotal, taxesIncluded, charges } = found;
  const parts = [
    ['discounts', orNone(found.discountTotal)],
    ...charges.map(({ name, amount }) => [name, formatMoney({ amount, currency: total.currency })] as const),
    ['taxes', taxTotal.amount === 0 ? null : `${formatMoney(taxTotal)}${taxesIncluded ? ' (included)' : ''}`],
  ] as const;
  const isPlain = parts.every(([, shown]) => shown === null);
  return [
    ...(isPlain ? [] : [['subtotal', formatMoney(found.subtotal)] as const, ...parts]),
    ['total', formatMoney(total)],
  ];
}

/** An amount; null where it is 0. */
function orNone(money: { readonly amount: number; readonly currency: string }): string | null {
  return money.amount === 0 ? null : formatMoney(money);
}

function describeAddress(address: Order['shippingAddress']): string | null {
  if (address === null) return null;
  const { name, company, line1, line2, postalCode, city, region, country, phone } = address;
  return [name, company, line1, line2, [postalCode, city].filter(Boolean).join(' '), region, country, phone]
    .filter(Boolean)
    .join(', ');
}

function pairs(members: Readonly<Record<string, string>>): string | null {
  const shown = Object.entries(members).map(([key, value]) => `${key}=${value}`);
  return shown.join(', ') || null;
}

/** Whether the order moves on by itself. */
function stillUnderWay(status: string): boolean {
  return status === 'pending' || status === 'confirming' || status === 'awaiting_restock';
}

function describePayment(payment: NonNullable<Order['payment']>): string {
  const card = payment.cardUsed === null ? '' : ` with the ${payment.cardUsed} card`;
  const refused = payment.attempts
    .filter((attempt) => attempt.code !== null)
    .map((attempt) => `${attempt.card}: ${attempt.code}`);
  const why = refused.length > 0 ? ` (${refused.join(', ')})` : '';
  return `${payment.id} ${payment.status} ${formatMoney(payment)}${card}${why}`;
}

export function describeTimeline({ items, nextCursor }: Resource<'timelinePage'>): string {
  const rows = items.map((entry) => [preciseMoment(entry.at), entry.from, entry.to, entry.actor, entry.reason ?? '']);
  const columns = [{ title: 'AT' }, { title: 'FROM' }, { title: 'TO' }, { title: 'BY' }, { title: 'WHY' }];
  return table(columns, rows) + moreLine(nextCursor);
}

export function listOrders({ items, nextCursor }: Resource<'orderPage'>): string {
  const rows = items.map((found) => [
    found.id,
    found.status,
    found.lines.length,
    formatMoney(found.total),
    found.customer.id ?? found.customer.email ?? null,
    moment(found.createdAt),
  ]);
  const columns = [
    { title: 'ORDER' },
    { title: 'STATUS' },
    { title: 'LINES', align: 'right' as const },
    { title: 'TOTAL', align: 'right' as const },
    { title: 'CUSTOMER' },
    { title: 'CREATED' },
  ];
  return table(columns, rows) + moreLine(nextCursor);
}
