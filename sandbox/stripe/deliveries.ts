/** Sends events to the webhook's address: signed, at least once, again and again until it answers with 2xx. */
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { report } from '../report.js';
import type { StoredEvent } from './books.js';
import type { FactOf } from './facts.js';
import type { WebhookFault } from './faults.js';
import type { Ledger } from './ledger.js';
import { eventView, seconds } from './views.js';

const firstWaitMs = 100;
const longestWaitMs = 30_000;
const givenUpAfterMs = 3 * 24 * 3_600_000;
const answerWithinMs = 10_000;
/** How long events are held to be sent backwards, if too few of them come. */
const heldMs = 2000;
const parallel = 16;

export class Deliveries {
  private readonly faults: WebhookFault[] = [];
  private held: StoredEvent[] = [];
  private holding: NodeJS.Timeout | null = null;
  private open = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly ledger: Ledger) {}

  start(): void {
    for (const event of this.ledger.asked.unsent) void this.send(event);
  }

  stop(): void {
    if (this.holding) clearTimeout(this.holding);
  }

  addFault(fault: WebhookFault): void {
    this.faults.push({ ...fault });
  }

  clearFaults(): void {
    this.faults.length = 0;
    void this.release();
  }

  /** Sends a new event, or does with it what a test has asked for. */
  entered(id: string): void {
    const event = this.ledger.asked.events.get(id);
    if (!event?.send) return;
    const fault = this.faults.find(({ type, times }) => times > 0 && (type === undefined || type === event.name));
    if (fault) fault.times--;
    switch (fault?.kind) {
      case undefined:
        void this.send(event);
        break;
      case 'drop':
        void this.note(event, 'dropped');
        break;
      case 'duplicate':
        void this.send(event).then(() => this.once(event));
        break;
      case 'reorder':
        this.held.push(event);
        if (fault.times === 0) void this.release();
        else this.holding ??= setTimeout(() => void this.release(), heldMs);
    }
  }

  /** Sends an event once more, whether it was delivered, dropped, or never to be sent. */
  async resend(id: string): Promise<boolean | null> {
    const event = this.ledger.asked.events.get(id);
    return event ? this.once(event) : null;
  }

  private async release(): Promise<void> {
    if (this.holding) clearTimeout(this.holding);
    this.holding = null;
    const backwards = this.held.reverse();
    this.held = [];
    for (const event of backwards) {
      if (await this.once(event)) await this.note(event, 'delivered');
      else void this.send(event);
    }
  }

  private async send(event: StoredEvent): Promise<void> {
    const { stopping } = this.ledger;
    for (let waitMs = firstWaitMs; !stopping.aborted; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      if (await this.once(event)) return this.note(event, 'delivered');
      if (Date.now() - event.at > givenUpAfterMs) return this.note(event, 'given_up');
      await sleep(waitMs, undefined, { signal: stopping }).catch(() => undefined);
    }
  }

  /** One delivery. Whether it was answered with 2xx. */
  private async once(event: StoredEvent): Promise<boolean> {
    await this.turn();
    try {
      const { webhook } = this.ledger.asked;
      if (!webhook || this.ledger.stopping.aborted) return false;
      const body = JSON.stringify(eventView(event), null, 2);
      const answer = await fetch(webhook.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          'stripe-signature': signature(body, webhook.secret, seconds(Date.now())),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([this.ledger.stopping, AbortSignal.timeout(answerWithinMs)]),
      });
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    } finally {
      this.open--;
      this.waiting.shift()?.();
    }
  }

  /** Waits until fewer deliveries are open than may be. */
  private async turn(): Promise<void> {
    if (this.open >= parallel) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.open++;
  }

  private async note(event: StoredEvent, outcome: FactOf<'sent'>['outcome']): Promise<void> {
    try {
      await this.ledger.post({ type: 'sent', at: Date.now(), event: event.id, outcome });
    } catch (error) {
      // It is sent again when the sandbox starts: at least once.
      report(
        `event ${event.id} is ${outcome}, and that is not written: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}

/** `t=…,v1=…`; one `v1` for each secret, since there are two while one replaces the other. */
function signature(body: string, secrets: string, time: number): string {
  const signed = secrets
    .split(',')
    .map((secret) => createHmac('sha256', secret.trim()).update(`${time}.${body}`).digest('hex'));
  return [`t=${time}`, ...signed.map((hex) => `v1=${hex}`)].join(',');
}
