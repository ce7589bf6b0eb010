/** Examples for the document: the audit log and the fraud rules. */
import { paymentExample } from './sales.js';

export const auditExample = {
  at: '2026-11-21T05:41:07.456789Z',
  actor: 'api_key:key_01a1fca5052e708db2f67afe7cac72b9',
  action: 'payment.decided',
  subject: `payment/${paymentExample.id}`,
  outcome: 'captured',
  requestId: 'req_01a1fca5052e708db2f67afe7cac72b9',
  detail: {
    orderId: paymentExample.orderId,
    gateway: 'sandbox',
    amount: 4918,
    currency: 'USD',
    cardUsed: 'primary',
    score: 0.1,
    failure: null,
  },
} as const;

export const fraudRulesExample = {
  rules: [
    { name: 'many cards', kind: 'cards_per_customer', threshold: 3, weight: 0.6, enabled: true },
    { name: 'new and high', kind: 'new_customer_over', threshold: 50_000, weight: 0.5, enabled: true },
  ],
} as const;
