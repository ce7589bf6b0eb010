/** What follows from a refused renewal. */
import type { CardSlot, PaymentAttempt } from '../payments/states.js';
import type { StoredCard } from './states.js';
import { instantOf, type Subscription, secondsOf } from './subscription.js';

/**
 * Declines that another attempt on the same card cannot turn: the card is gone, blocked or of the wrong kind, or its owner
 * has to act. Card schemes fine merchants who try again. From Stripe's list of decline codes and their next steps
 * (docs.stripe.com/declines/codes) and Visa's category 1 of response codes, "issuer will never approve".
 */
const finalDeclines: readonly string[] = [
  'authentication_required',
  'requires_action_not_handled',
  'card_not_supported',
  'currency_not_supported',
  'do_not_try_again',
  'expired_card',
  'fraudulent',
  'incorrect_number',
  'invalid_account',
  'invalid_number',
  'lost_card',
  'merchant_blacklist',
  'new_account_information_available',
  'no_action_taken',
  'not_permitted',
  'pickup_card',
  'restricted_card',
  'revocation_of_all_authorizations',
  'revocation_of_authorization',
  'security_violation',
  'service_not_allowed',
  'stolen_card',
  'stop_payment_order',
  'token_already_used',
  'token_used',
  'transaction_not_allowed',
];

const authenticationDeclines: readonly string[] = ['authentication_required', 'requires_action_not_handled'];

/** Whether every card was declined in a way that says not to try again. */
export function isFinal(attempts: readonly PaymentAttempt[]): boolean {
  return attempts.length > 0 && attempts.every(isFinalDecline);
}

function isFinalDecline({ outcome, code, final }: PaymentAttempt): boolean {
  return outcome === 'declined' && (final === true || isIn(finalDeclines, code));
}

type Cards = Pick<Subscription, 'card' | 'backupCard'>;

/** The cards after these attempts: one that was declined for good keeps that until it is replaced, or pays after all. */
export function cardsAfter({ card, backupCard }: Cards, attempts: readonly PaymentAttempt[]): Cards {
  const after = (slot: CardSlot, stored: StoredCard | null): StoredCard | null => {
    const last = attempts.findLast((each) => each.card === slot);
    if (stored === null || last === undefined) return stored;
    const { token, customer, final } = stored;
    const isNowFinal = isFinalDecline(last) || (final === true && last.outcome !== 'captured');
    return { token, customer, ...(isNowFinal && { final: true }) };
  };
  return { card: after('primary', card), backupCard: after('backup', backupCard) };
}

/** The cards that are left out of a charge. None where no other is left: then a customer asks for it, and the bank decides. */
export function finalCards({ card, backupCard }: Cards): readonly CardSlot[] {
  const final: CardSlot[] = [
    ...(card?.final ? (['primary'] as const) : []),
    ...(backupCard?.final ? (['backup'] as const) : []),
  ];
  const all = backupCard === null ? 1 : 2;
  return final.length === all ? [] : final;
}

/** Whether a card's owner has to confirm the payment to the bank. */
export function needsAuthentication(attempts: readonly PaymentAttempt[]): boolean {
  return attempts.some(({ code }) => isIn(authenticationDeclines, code));
}

function isIn(codes: readonly string[], code: string | null): boolean {
  return code !== null && codes.includes(code);
}

/**
 * When a refused renewal is tried again; null: not any more. `never`: the attempt would come after the period's end, so it
 * is not made.
 * @param waits seconds before each further attempt
 * @param attempts those made, at least 1
 */
export function nextAttempt(
  waits: readonly number[],
  attempts: number,
  failedAt: string,
  periodEnd: string,
): string | 'never' | null {
  const wait = waits[attempts - 1];
  if (wait === undefined) return null;
  const at = secondsOf(failedAt) + wait;
  return at < secondsOf(periodEnd) ? instantOf(at) : 'never';
}
