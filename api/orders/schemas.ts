import { z } from 'zod';
import {
  maxCustomerIdLength,
  maxExternalReferenceLength,
  maxLinesPerOrder,
  maxNameLength,
  maxReasonLength,
  maxTagLength,
} from '../../domain/limits.js';
import { orderStatuses } from '../../domain/orders/states.js';
import { mainLocation } from '../../domain/stock.js';
import type { Shape } from '../http/route.js';
import {
  anyTime,
  createdAt,
  failure,
  id,
  locationCode,
  minorUnits,
  money,
  nextCursor,
  pageOf,
  pageQuery,
  quantity,
  shown,
  shownOrNull,
  sku,
  text,
  time,
  updatedAt,
} from '../http/schemas.js';
import { backupCardToken, cardToken, email, payment } from '../shapes/payment.js';
import {
  address,
  charge,
  externalReference,
  metadata,
  newCharges,
  note,
  shownAddress,
  shownMetadata,
  tags,
  taxesIncluded,
} from './details-schemas.js';

export const orderId = z.strictObject({ id: id('ord') });
export const orderQuery = z.strictObject({
  status: z.enum(orderStatuses).openapi({ description: 'Only orders of this status.', example: 'reserved' }).optional(),
  customerId: text(maxCustomerIdLength)
    .openapi({ description: 'Only orders of this customer.', example: 'cus_1001' })
    .optional(),
  externalReference: text(maxExternalReferenceLength)
    .openapi({ description: 'Only orders with this reference of yours, failed ones too.', example: 'web-10017' })
    .optional(),
  tag: text(maxTagLength).openapi({ description: 'Only orders with this tag.', example: 'gift' }).optional(),
  channel: locationCode.openapi({ description: 'Only orders from this channel.', example: 'shop' }).optional(),
  from: anyTime.openapi({ description: 'Only orders created at this time or later.' }).optional(),
  to: anyTime.openapi({ description: 'Only orders created before this time.' }).optional(),
  ...pageQuery,
});

const paymentChoice = z
  .union([
    z.strictObject({ cardToken, backupCardToken: backupCardToken.optional() }),
    z.strictObject({
      method: z.literal('external').openapi({ description: 'Paid elsewhere: no card processor is called.' }),
    }),
  ])
  .openapi('PaymentChoice', { description: 'How the order is paid: by card or elsewhere.' });

const lineDiscount = minorUnits.openapi({
  description: 'What is taken off the whole line, in minor units: at most its subtotal.',
  example: 200,
});
const lineTax = minorUnits.openapi({ description: 'The tax of the whole line, in minor units.', example: 604 });

export const newLine = z.strictObject({
  sku,
  quantity,
  location: locationCode.default(mainLocation),
  unitPrice: money
    .openapi({
      description:
        "The price of one unit; absent: the catalogue's. Another price than the catalogue's needs the scope `orders:price`.",
    })
    .optional(),
  discount: lineDiscount.optional(),
  tax: lineTax.optional(),
  name: text(maxNameLength).openapi({ description: 'What the line is called.', example: 'T-shirt, M' }).optional(),
});

export type NewLine = z.output<typeof newLine>;

export const newOrder = z.strictObject({
  customer: z
    .strictObject({
      id: text(maxCustomerIdLength)
        .openapi({ description: 'Your own id for the customer.', example: 'cus_1001' })
        .optional(),
      name: text(maxNameLength).openapi({ description: "The customer's name.", example: 'Ada Lovelace' }).optional(),
      email: email.optional(),
    })
    .openapi({ description: 'The customer who places the order.' })
    .optional(),
  lines: z
    .array(newLine)
    .max(maxLinesPerOrder)
    .default([])
    .openapi({ description: 'The order lines; without any, the order is a draft.' }),
  payment: paymentChoice.optional(),
  confirm: z
    .boolean()
    .default(false)
    .openapi({ description: 'Whether to pay and confirm the order in the same call.' }),
  charges: newCharges.optional(),
  taxesIncluded: taxesIncluded.default(false),
  shippingAddress: address.optional(),
  billingAddress: address.optional(),
  externalReference: externalReference.optional(),
  metadata: metadata.optional(),
  tags: tags.optional(),
  note: note.optional(),
  expectedTotal: money
    .openapi({
      description:
        'What you expect the order to come to. If it comes to another total it is refused and nothing is held.',
    })
    .optional(),
});
export type NewOrder = z.output<typeof newOrder>;

export const orderChange = z.strictObject({
  metadata: metadata.optional(),
  tags: tags.optional(),
  note: note.nullable().optional(),
  shippingAddress: shownAddress.openapi({ description: 'Where the goods go; null removes it.' }).optional(),
});

export const confirmation = z.strictObject({ payment: paymentChoice.optional() });
export const cancellation = z.strictObject({
  reason: text(maxReasonLength).openapi({
    description: 'Why the order is cancelled; shown on its timeline.',
    example: 'ordered twice',
  }),
});

const status = z.enum(orderStatuses).openapi({ description: 'The status of the order.' });

export const order = z
  .object({
    id: id('ord'),
    status,
    customer: z
      .object({
        id: shown('Your own id for the customer.', 'cus_1001').optional(),
        name: shown("The customer's name.", 'Ada Lovelace').optional(),
        email: shown('The address for receipts.', 'ada@example.com').optional(),
      })
      .openapi({ description: 'The customer who places the order.' }),
    lines: z
      .array(
        z.object({
          sku,
          quantity,
          name: shownOrNull('What the line is called; null: you did not say.', 'T-shirt, M'),
          unitPrice: money.openapi({ description: 'The price of one unit when the line was added.' }),
          subtotal: money.openapi({ description: 'Its price times its quantity.' }),
          discount: lineDiscount,
          tax: lineTax,
          total: money.openapi({
            description: 'What is paid for it: its subtotal less its discount, plus its tax unless taxes are included.',
          }),
          location: locationCode,
          reservationId: shownOrNull('The hold of this line; null: none yet.', 'rsv_01a1fca5052e708db2f67afe7cac72b9'),
        }),
      )
      .openapi({ description: 'The order lines.' }),
    charges: z.array(charge).openapi({ description: 'What is paid beside the goods.' }),
    taxesIncluded,
    subtotal: money.openapi({ description: 'The subtotals of all lines.' }),
    discountTotal: money.openapi({ description: 'The discounts of all lines.' }),
    taxTotal: money.openapi({ description: 'The taxes of all lines and charges.' }),
    chargeTotal: money.openapi({ description: 'All charges, without taxes that are added.' }),
    total: money.openapi({
      description:
        'What is paid: `subtotal` less `discountTotal`, plus `chargeTotal`, plus `taxTotal` unless `taxesIncluded`.',
    }),
    shippingAddress: shownAddress.openapi({ description: 'Where the goods go; null: you did not say.' }),
    billingAddress: shownAddress.openapi({ description: 'Where the bill goes; null: you did not say.' }),
    externalReference: shownOrNull('Your own id for the order.', 'web-10017'),
    channel: shownOrNull('The shop that it came from; null: this API.', null),
    metadata: shownMetadata,
    tags: z.array(z.string()).openapi({ description: 'Labels to find the order by.', example: ['gift'] }),
    note: shownOrNull('A note for those who handle the order.', null),
    payment: z.union([payment, z.null()]).openapi({ description: 'The latest payment; null: none yet.' }),
    supplierReference: shownOrNull("The supplier's reference for the missing stock; null: none is missing.", null),
    expiresAt: time.nullable().openapi({ description: 'When its holds expire; null: they do not expire.' }),
    cancelReason: shownOrNull('Why the order was cancelled.', null),
    failure,
    workflowId: shown('The id of its Temporal workflow.', 'order/ord_01a1fca5052e708db2f67afe7cac72b9'),
    createdAt,
    updatedAt,
  })
  .openapi('Order', { description: 'An order.' });
export type Order = Shape<typeof order>;

export const orderPage = pageOf('Order', order);

const timelineEntry = z.object({
  at: time.openapi({ description: 'When it happened.' }),
  from: status.nullable().openapi({ description: 'The previous status; null: there was none.' }),
  to: status.openapi({ description: 'The new status; unchanged if the entry is only a note.' }),
  reason: shownOrNull('Why it happened, if there is a reason.', null),
  actor: shown('Who did it.', 'api_key:key_01a1fc9f5d0a7d3b8f5c0a3e2b1d4c6f'),
  traceId: shownOrNull('The W3C trace id of the call.', '0af7651916cd43dd8448eb211c80319c'),
});
export type TimelineEntry = Shape<typeof timelineEntry>;

export const timeline = z
  .object({
    items: z.array(timelineEntry).openapi({ description: 'The timeline entries, oldest first.' }),
    nextCursor,
  })
  .openapi('OrderTimeline', { description: "A page of an order's timeline." });
