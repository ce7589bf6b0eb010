/** Mails about committed changes, to customers and to our own staff. */

import {
  type MailFacts,
  markSent,
  type NoticeFacts,
  type RefundMailFacts,
  unsentMails,
  unsentNotices,
  unsentRefundMails,
} from '../db/outbox/notices.js';
import type { Connection } from '../db/postgres/client.js';
import { formatMoney } from '../domain/money.js';
import { type NoticeAddresses, noticeText } from '../domain/notices.js';
import type { SubscriptionMail } from '../domain/subscriptions/states.js';
import type { Mail, MailGateway } from '../gateways/mail/gateway.js';

/** The outbox rows whose mail could not be sent, with the first error. */
export interface NoticeResult {
  readonly unsent: readonly number[];
  readonly lastError: string | null;
}

export function noticeActivities({ sql }: Connection, mail: MailGateway, addresses: NoticeAddresses) {
  return {
    /**
     * Sends the unsent mails of these outbox rows and marks them sent. A process that dies in between sends a mail twice,
     * with the same Message-ID.
     */
    async sendNotices(rowIds: readonly number[]): Promise<NoticeResult> {
      const [mails, refunds, notices] = await Promise.all([
        unsentMails(sql, rowIds),
        unsentRefundMails(sql, rowIds),
        unsentNotices(sql, rowIds),
      ]);
      const letters = [
        ...mails.map((facts) => ({ rowId: facts.outboxId, letter: toCustomer(facts) })),
        ...refunds.map((facts) => ({ rowId: facts.outboxId, letter: aboutRefund(facts) })),
        ...notices.map((facts) => ({ rowId: facts.outboxId, letter: toStaff(facts, addresses) })),
      ];
      const outcomes = await Promise.allSettled(letters.map(({ letter }) => mail.send(letter)));
      const idsWhere = (status: 'fulfilled' | 'rejected') =>
        letters.flatMap(({ rowId }, index) => (outcomes[index]?.status === status ? [rowId] : []));
      await markSent(sql, idsWhere('fulfilled'));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      return { unsent: idsWhere('rejected'), lastError: failed ? String(failed.reason) : null };
    },
  };
}

export type NoticeActivities = ReturnType<typeof noticeActivities>;

function toStaff({ outboxId, notice }: NoticeFacts, addresses: NoticeAddresses): Mail {
  const { to, subject, text } = noticeText(notice);
  return { messageId: `<${notice.template}.${outboxId}@holdfast>`, to: addresses[to], subject, text };
}

function toCustomer(facts: MailFacts): Mail {
  const about = facts.orderId ?? facts.paymentId;
  const amount = formatMoney(facts);
  const messageId = `<${facts.template}.${facts.paymentId}@holdfast>`;
  if (facts.template === 'receipt')
    return {
      messageId,
      to: facts.to,
      subject: `Receipt for ${about}`,
      text: `Thank you. We have received ${amount}.\n\n${itemsOf(facts)}Total: ${amount}\n\nPayment ${facts.paymentId}\n`,
    };
  if (facts.template !== 'insufficient_funds') return aboutRenewal(facts, facts.template, messageId);
  return {
    messageId,
    to: facts.to,
    subject: `Your payment for ${about} was not possible`,
    text: `Your bank refused ${amount}: insufficient funds. Nothing was charged. You can try another card.\n\nPayment ${facts.paymentId}\n`,
  };
}

/** What a customer can do about a renewal that was refused. */
function aboutRenewal(facts: MailFacts, template: SubscriptionMail, messageId: string): Mail {
  const amount = formatMoney(facts);
  const { subject, text } = renewalTexts[template];
  return { messageId, to: facts.to, subject, text: `${text(amount)}\n\nPayment ${facts.paymentId}\n` };
}

const renewalTexts: Readonly<Record<SubscriptionMail, { subject: string; text: (amount: string) => string }>> = {
  past_due: {
    subject: 'Your subscription is past due',
    text: (amount) =>
      `We could not charge ${amount} for your subscription. We will try your card again. You can give us another card at any time.`,
  },
  past_due_until_end: {
    subject: 'Your subscription is past due',
    text: (amount) =>
      `We could not charge ${amount} for your subscription. Give us another card before its period ends to keep it.`,
  },
  unpaid: {
    subject: 'Your subscription is unpaid',
    text: (amount) =>
      `We could not charge ${amount} for your subscription, and will not try your card again. Give us another card to keep it.`,
  },
  authentication_required: {
    subject: 'Your subscription is unpaid: your bank wants you to confirm',
    text: (amount) =>
      `Your bank refused ${amount} for your subscription, because it wants you to confirm the payment yourself (authentication required). We will not try this card again. Give us another card to keep your subscription.`,
  },
};

function aboutRefund({ refundId, orderId, paymentId, to, lines, ...money }: RefundMailFacts): Mail {
  const amount = formatMoney(money);
  const items = lines.map(({ name, quantity }) => `  ${quantity} x ${oneLine(name)}\n`).join('');
  return {
    messageId: `<refund.${refundId}@holdfast>`,
    to,
    subject: `Refund for ${orderId ?? paymentId}`,
    text: `We have returned ${amount} to you.\n\n${items && `${items}\n`}It can take a few days until it is on your account.\n\nRefund ${refundId}\n`,
  };
}

/** The items bought, charges and taxes, one a line, which add up to the total. Empty where the payment has no order. */
function itemsOf({ lines, charges, tax, taxesIncluded, currency }: MailFacts): string {
  const money = (amount: number) => formatMoney({ amount, currency });
  const items = lines.map(({ name, quantity, unitPrice, discount }) => {
    return `  ${quantity} x ${oneLine(name)} at ${money(unitPrice)}: ${money(quantity * unitPrice)}${discount > 0 ? `, less ${money(discount)}` : ''}\n`;
  });
  const extras = charges.map(({ name, amount }) => `  ${name.replace(/\s+/g, ' ').trim()}: ${money(amount)}\n`);
  const taxes = tax > 0 ? [`  Taxes${taxesIncluded ? ' included' : ''}: ${money(tax)}\n`] : [];
  return items.length === 0 ? '' : `${[...items, ...extras, ...taxes].join('')}\n`;
}

/** A product's name, which may contain line breaks. */
function oneLine(name: string): string {
  return name.replace(/\s+/g, ' ').trim();
}
