/** `holdfast order create` */
import type { Command } from 'commander';
import type { Money } from '../../domain/money.js';
import type { Charge } from '../../domain/orders/money.js';
import { decode, readSource } from '../bulk/source.js';
import {
  type LineValue,
  lineForm,
  metadataEntry,
  orderCharge,
  orderLine,
  orderTag,
  postalAddress,
} from '../terminal/order-values.js';
import { exitCodes, type PostOptions, type Session } from '../terminal/session.js';
import { money } from '../terminal/values.js';
import { example, withKey, withWait } from './options.js';
import { type PaymentOptions, paymentOf, withPayment } from './order-payment.js';
import { describeOrder } from './order-view.js';

interface CreateOptions extends PaymentOptions, PostOptions {
  readonly file?: string;
  readonly line?: readonly LineValue[];
  readonly customerId?: string;
  readonly email?: string;
  readonly name?: string;
  readonly confirm?: boolean;
  readonly charge?: readonly Charge[];
  readonly taxesIncluded?: boolean;
  readonly shipTo?: Readonly<Record<string, string>>;
  readonly billTo?: Readonly<Record<string, string>>;
  readonly externalReference?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tag?: readonly string[];
  readonly note?: string;
  readonly expectedTotal?: Money;
}

const notes = `
A line is ${lineForm}.
MONEY has a currency ("19.99 USD"), an AMOUNT has that of the order ("1.50"). A discount and a tax are of the whole line.
Prices other than the catalogue's need a key with the scope orders:price.

A charge is KIND:NAME:AMOUNT[:TAX]. An address is name=...;company=...;line1=...;line2=...;city=...;region=...;
postalCode=...;country=GB;phone=..., of which line1, city and country are required.

--file takes the body of POST /api/orders as JSON. Options replace its members.`;

export function addCreate(group: Command, session: Session, currentFolder: string): void {
  const command = group
    .command('create')
    .description('open an order and reserve its lines: all of them, or none')
    .option('--line <line>', 'SKU:QTY[@LOCATION], and its money (see below); repeat for more lines', orderLine)
    .option('--file <json>', 'read the order from a file; - for standard input')
    .option('--customer-id <id>', 'your own id for the customer')
    .option('--email <address>', 'where receipts and notices go')
    .option('--name <name>', "the customer's name")
    .option('--charge <charge>', 'shipping, handling, a fee or other (see below); repeat for more', orderCharge)
    .option('--taxes-included', 'prices and charges contain their taxes')
    .option('--expected-total <money>', 'refuse the order if it comes to anything else', money)
    .option('--ship-to <address>', 'where the goods go (see below)', postalAddress)
    .option('--bill-to <address>', 'where the bill goes', postalAddress)
    .option('--external-reference <reference>', 'your own id for the order; a second order with it is refused')
    .option('--metadata <key=value>', 'your own data; repeat for more', metadataEntry)
    .option('--tag <tag>', 'a label to find it by; repeat for more', orderTag)
    .option('--note <text>', 'a note for those who handle it')
    .option('--confirm', 'pay and confirm at once');
  withKey(withWait(withPayment(command)))
    .addHelpText('after', notes)
    .addHelpText(
      'after',
      example(
        'holdfast order create --line coffee-beans-1kg:2 --line mug-stoneware:1@main --email ann@example.com',
        'holdfast order create --line mug-stoneware:1,discount=2.00 --charge shipping:Post:4.90 --card tok_visa --confirm',
        'holdfast order create --file order.json --expected-total "24.90 USD"',
      ),
    )
    .action(async (options: CreateOptions) => {
      const payment = paymentOf(options, session);
      if (payment.kind === 'wrong') return;
      const file = options.file === undefined ? {} : await readOrder(options.file, currentFolder);
      if (typeof file === 'string') return session.fail(file, exitCodes.usage);
      const body = { ...file, ...membersOf(options), ...payment.body };
      await session.show(await session.post('/api/orders', body, options), 'order', describeOrder);
    });
}

function membersOf(options: CreateOptions): object {
  const customer = {
    ...(options.customerId !== undefined && { id: options.customerId }),
    ...(options.name !== undefined && { name: options.name }),
    ...(options.email !== undefined && { email: options.email }),
  };
  const members = {
    customer: Object.keys(customer).length > 0 ? customer : undefined,
    lines: options.line,
    charges: options.charge,
    taxesIncluded: options.taxesIncluded,
    expectedTotal: options.expectedTotal,
    shippingAddress: options.shipTo,
    billingAddress: options.billTo,
    externalReference: options.externalReference,
    metadata: options.metadata,
    tags: options.tag,
    note: options.note,
    confirm: options.confirm,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** The order in a file, or what is wrong with the file. */
async function readOrder(file: string, currentFolder: string): Promise<object | string> {
  const source = await readSource(file, currentFolder);
  if (source.kind === 'wrong') return source.problem;
  const decoded = decode(source.content);
  if (decoded.kind === 'wrong') return decoded.problem;
  try {
    const order: unknown = JSON.parse(decoded.text);
    if (typeof order === 'object' && order !== null && !Array.isArray(order)) return order;
  } catch {
    return 'the file is not JSON';
  }
  return 'the file holds no order: it must be a JSON object';
}
