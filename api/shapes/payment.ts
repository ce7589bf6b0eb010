/** A payment, on its own or within an order: the fields that start one, and how clients see it. */
import { z } from 'zod';
import type { PaymentRow } from '../../db/payments/queries.js';
import type { PaymentChoice } from '../../domain/orders/steps.js';
import { type GatewayName, gatewayNames } from '../../domain/payments/gateways.js';
import { attemptOutcomes, cardSlots, paymentStatuses } from '../../domain/payments/states.js';
import { isTokenOf, maxTokenLength, tokenPattern, tokensOf } from '../../domain/payments/tokens.js';
import { type Refused, refuseFields } from '../http/reply.js';
import type { Shape } from '../http/route.js';
import { createdAt, currency, id, minorUnits, shownOrNull, time } from '../http/schemas.js';
import { dispute, viewDispute } from './dispute.js';

export const cardToken = z
  .string()
  .max(maxTokenLength)
  .regex(tokenPattern, 'must be a card token: tok_… or, at Stripe, pm_…')
  .openapi({
    description: "The card processor's token for a card. Card numbers are refused.",
    example: 'tok_visa',
  });
export const backupCardToken = cardToken.openapi({
  description: 'The card to try if the first one is refused.',
  example: 'tok_mastercard',
});

/** Refuses tokens of another processor. @param pointer to the object that has them */
export function refuseTokens(
  gateway: GatewayName,
  choice: PaymentChoice | { readonly cardToken: string; readonly backupCardToken?: string | undefined } | null,
  pointer: string,
): Refused | null {
  if (choice === null || 'method' in choice) return null;
  const foreign = (['cardToken', 'backupCardToken'] as const).filter((name) => {
    const token = choice[name];
    return token !== undefined && !isTokenOf(gateway, token);
  });
  if (foreign.length === 0) return null;
  const detail = `must be a card token: ${tokensOf(gateway)}`;
  const errors = foreign.map((name) => ({ pointer: `${pointer}/${name}`, code: 'invalid_format', detail }));
  return refuseFields('validation_failed', errors);
}

/** RFC 5321, section 4.5.3.1, and RFC 1035: mail to a longer address, or to a label that ends with a hyphen, is never delivered. */
function isMailable(address: string): boolean {
  const [local = '', domain = ''] = address.split('@');
  return local.length <= 64 && domain.split('.').every((label) => label.length <= 63 && !label.endsWith('-'));
}

export const email = z.email().max(254).refine(isMailable, 'must be an address that mail can be sent to').openapi({
  pattern: z.regexes.email.source,
  description: 'Where receipts and notices go.',
  example: 'ada@example.com',
});

const card = z.enum(cardSlots).openapi({ description: 'Which of the two cards.' });

export const payment = z
  .object({
    id: id('pay'),
    status: z.enum(paymentStatuses).openapi({ description: 'The status of the payment.' }),
    amount: minorUnits,
    currency,
    orderId: shownOrNull('The order it pays for; null: none.', 'ord_01a1fca5052e708db2f67afe7cac72b9'),
    customerId: shownOrNull('Your own id for the customer.', 'cus_1001'),
    reference: shownOrNull('Your own note.', null),
    cardUsed: card.nullable().openapi({ description: 'Which card was charged; null: none.' }),
    fraudScore: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .openapi({ description: 'How likely fraud is, from 0 to 1; null: not scored.', example: 0.1 }),
    attempts: z
      .array(
        z.object({
          card,
          outcome: z.enum(attemptOutcomes).openapi({ description: 'How the attempt ended.' }),
          code: shownOrNull('Why it was refused; null: it was not.', null),
          at: time.openapi({ description: 'When it ended.' }),
        }),
      )
      .openapi({ description: 'The attempts with each card.' }),
    gateway: z
      .enum(gatewayNames)
      .openapi({ description: 'The card processor that it was made at.', example: 'sandbox' }),
    refunded: minorUnits.openapi({ description: 'How much was refunded, in minor units.', example: 0 }),
    refundPending: minorUnits.openapi({ description: 'How much is being refunded, in minor units.', example: 0 }),
    disputes: z
      .array(dispute)
      .openapi({ description: 'What the cardholder has asked the bank to return; newest first.' }),
    fraud: z
      .object({
        score: z.number().min(0).max(1).nullable().openapi({ description: 'As `fraudScore`.', example: 0.1 }),
        rules: z
          .array(z.string())
          .openapi({ description: 'The rules that raised the score, if the scorer names them.' }),
      })
      .openapi({ description: 'How likely fraud is, and why.' }),
    providerReference: shownOrNull("The processor's own reference.", 'auth_5Z7ZicCDM23OX3qt'),
    createdAt,
  })
  .openapi('Payment', { description: 'A payment by card.' });

export type Payment = Shape<typeof payment>;

export function viewPayment(row: PaymentRow): Payment {
  const fraudScore = row.fraudScore === null ? null : Number(row.fraudScore);
  return {
    id: row.id,
    status: row.status,
    amount: row.amount,
    currency: row.currency,
    orderId: row.orderId,
    customerId: row.customerId,
    reference: row.reference,
    cardUsed: row.cardUsed,
    fraudScore,
    attempts: row.attempts.map(({ card: slot, outcome, code, at }) => ({ card: slot, outcome, code, at })),
    gateway: row.gateway,
    refunded: row.refunded,
    refundPending: row.refundReserved,
    disputes: row.disputes.map(viewDispute),
    fraud: { score: fraudScore, rules: row.fraudRules },
    providerReference: row.providerReference,
    createdAt: row.createdAt,
  };
}
