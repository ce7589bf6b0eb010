/** How an order is paid on the command line. */
import type { Command } from 'commander';
import { exitCodes, type Session } from '../terminal/session.js';

export interface PaymentOptions {
  readonly card?: string;
  readonly backupCard?: string;
  readonly external?: boolean;
}

export function withPayment(command: Command): Command {
  return command
    .option('--card <token>', "the card to charge, as your processor's token")
    .option('--backup-card <token>', 'the card to charge if the first one is refused')
    .option('--external', 'the order is paid elsewhere: no card is charged');
}

type PaymentBody =
  | { readonly kind: 'body'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'wrong' };

export function paymentOf(options: PaymentOptions, session: Session): PaymentBody {
  const { card, backupCard, external } = options;
  const wrong =
    external && (card !== undefined || backupCard !== undefined)
      ? '--external cannot be combined with a card'
      : backupCard !== undefined && card === undefined
        ? '--backup-card needs a --card'
        : null;
  if (wrong !== null) {
    session.fail(wrong, exitCodes.usage);
    return { kind: 'wrong' };
  }
  if (external) return { kind: 'body', body: { payment: { method: 'external' } } };
  if (card === undefined) return { kind: 'body', body: {} };
  return {
    kind: 'body',
    body: { payment: { cardToken: card, ...(backupCard !== undefined && { backupCardToken: backupCard }) } },
  };
}
