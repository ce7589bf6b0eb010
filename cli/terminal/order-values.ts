/** Parses what an order carries on the command line: lines, charges, addresses, metadata, tags. */
import { InvalidArgumentError } from 'commander';
import { maxLinesPerOrder } from '../../domain/limits.js';
import type { Money } from '../../domain/money.js';
import { type Charge, chargeKinds } from '../../domain/orders/money.js';
import { amount, code, money, quantity } from './values.js';

export interface LineValue {
  readonly sku: string;
  readonly quantity: number;
  readonly location?: string;
  readonly unitPrice?: Money;
  readonly discount?: number;
  readonly tax?: number;
  readonly name?: string;
}

export const lineForm = 'SKU:QTY[@LOCATION][,price=MONEY][,discount=AMOUNT][,tax=AMOUNT][,name=TEXT]';

/** One `--line`, collected over all of them. */
export function orderLine(text: string, before: readonly LineValue[] = []): readonly LineValue[] {
  const [head = '', ...settings] = text.split(',');
  const [, sku, count, location] = /^([^:@]+):(\d+)(?:@(.+))?$/.exec(head) ?? [];
  if (before.length === maxLinesPerOrder)
    throw new InvalidArgumentError(`an order has at most ${maxLinesPerOrder} lines`);
  if (sku === undefined || count === undefined) throw new InvalidArgumentError(`expected ${lineForm}`);
  const line = {
    sku: code(sku),
    quantity: quantity(count),
    ...(location !== undefined && { location: code(location) }),
  };
  return [...before, Object.assign(line, ...settings.map(lineSetting))];
}

function lineSetting(text: string): Partial<LineValue> {
  const [name, value] = pair(text);
  switch (name) {
    case 'price':
      return { unitPrice: money(value) };
    case 'discount':
      return { discount: amount(value) };
    case 'tax':
      return { tax: amount(value) };
    case 'name':
      return { name: value };
    default:
      throw new InvalidArgumentError(`expected ${lineForm}`);
  }
}

/** `shipping:Standard:4.90` or `shipping:Standard:4.90:0.78`, collected over all `--charge` options. */
export function orderCharge(text: string, before: readonly Charge[] = []): readonly Charge[] {
  const [kind = '', name = '', value = '', tax = '0', ...more] = text.split(':');
  const known = chargeKinds.find((each) => each === kind);
  if (known === undefined || name === '' || more.length > 0)
    throw new InvalidArgumentError(`expected KIND:NAME:AMOUNT[:TAX], with a kind of ${chargeKinds.join(', ')}`);
  return [...before, { kind: known, name, amount: amount(value), tax: amount(tax) }];
}

const addressParts = ['name', 'company', 'line1', 'line2', 'city', 'region', 'postalCode', 'country', 'phone'];

/** `line1=12 High Street;city=London;country=GB`. */
export function postalAddress(text: string): Readonly<Record<string, string>> {
  const parts = text.split(';').map((part) => pair(part.trim()));
  const unknown = parts.find(([name]) => !addressParts.includes(name));
  if (unknown) throw new InvalidArgumentError(`expected parts of ${addressParts.join(', ')}, separated by semicolons`);
  return Object.fromEntries(parts);
}

/** `key=value`, collected over all `--metadata` options. */
export function metadataEntry(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [key, value] = pair(text);
  return { ...before, [key]: value };
}

/** Collected over all `--tag` options. */
export function orderTag(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('expected NAME=VALUE');
  return [text.slice(0, at).trim(), text.slice(at + 1)];
}

/** `SKU:QTY`, collected over all `--line` options. */
export function units(text: string, before: readonly LineValue[] = []): readonly LineValue[] {
  if (/[@,]/.test(text)) throw new InvalidArgumentError('expected SKU:QTY');
  return orderLine(text, before);
}
