/** Faults that a test asks for by hand, besides those that a card scripts. They do not survive a restart. */
import { z } from 'zod';
import { failed, StripeError } from './errors.js';
import type { Execution } from './ledger.js';
import type { Json } from './views.js';

const times = z.int().min(1).max(1000).default(1);

export const callFault = z.strictObject({
  call: z.enum(['create', 'confirm', 'capture', 'cancel', 'refund']),
  /** `failed`: a 500 that the key keeps. `rate_limited`: a 429 before anything is done. */
  answer: z.enum(['failed', 'rate_limited']),
  /** Whether a failed call has acted all the same. */
  acts: z.boolean().default(false),
  times,
});
export type CallFault = z.infer<typeof callFault>;

export const webhookFault = z.strictObject({
  /** `drop`: never sent. `duplicate`: sent twice. `reorder`: so many events are held and then sent backwards. */
  kind: z.enum(['drop', 'duplicate', 'reorder']),
  /** Only events of this type; default: all. */
  type: z.string().max(100).optional(),
  times,
});
export type WebhookFault = z.infer<typeof webhookFault>;

const paths: Readonly<Record<CallFault['call'], RegExp>> = {
  create: /\/payment_intents$/,
  confirm: /\/confirm$/,
  capture: /\/capture$/,
  cancel: /\/cancel$/,
  refund: /\/refunds$/,
};

type Act = (execution: Execution) => Promise<Json>;

export class CallFaults {
  private pending: CallFault[] = [];

  add(fault: CallFault): void {
    this.pending.push({ ...fault });
  }

  clear(): void {
    this.pending = [];
  }

  /** The act with the fault that the next call of its kind meets. */
  wrap(path: string, act: Act): Act {
    const fault = this.pending.find(({ call, times: left }) => left > 0 && paths[call].test(path));
    if (!fault) return act;
    fault.times--;
    return async (execution) => {
      if (fault.answer === 'rate_limited') {
        const message = 'Request rate limit exceeded.';
        const body = { type: 'invalid_request_error', code: 'rate_limit', message } as const;
        throw new StripeError(429, body, false, true);
      }
      if (fault.acts) await act(execution);
      throw failed();
    };
  }
}
