/** The Stripe face of the card processor: the same books, on Stripe's wire. */
import { Router } from 'express';
import type { Processor } from '../payments/processor.js';
import { controlRoutes } from './control.js';
import { Deliveries } from './deliveries.js';
import { Events } from './events.js';
import { CallFaults } from './faults.js';
import { finishPayments } from './intents.js';
import { Ledger } from './ledger.js';
import { stripeApp } from './routes.js';

export class StripeFace {
  readonly routes = Router();

  private constructor(
    private readonly ledger: Ledger,
    private readonly events: Events,
    private readonly deliveries: Deliveries,
  ) {
    const faults = new CallFaults();
    this.routes.use('/stripe', stripeApp(ledger, faults));
    this.routes.use(controlRoutes(ledger, deliveries, faults));
  }

  /** @param stopping aborts slow calls and deliveries when the sandbox stops */
  static async open(home: string, processor: Processor, stopping: AbortSignal): Promise<StripeFace> {
    const ledger = await Ledger.open(home, processor, stopping);
    const deliveries = new Deliveries(ledger);
    const events = new Events(ledger, (id) => deliveries.entered(id));
    processor.onChange(({ authorizationId }) => events.changed(authorizationId));
    ledger.onIntent((id) => events.changed(id));
    return new StripeFace(ledger, events, deliveries);
  }

  /** The token that a payment method was made from; the same one where it is none of these books. */
  tokenOf(named: string): string {
    return this.ledger.payments.method(named)?.token ?? named;
  }

  get writable(): boolean {
    return this.ledger.writable;
  }

  /** Sends what was not sent before the sandbox stopped, and finishes what a kill has interrupted. */
  start(): void {
    this.deliveries.start();
    this.events.start();
    void finishPayments(this.ledger);
  }

  /** The sandbox has to have aborted `stopping` before. */
  async close(): Promise<void> {
    this.deliveries.stop();
    await this.events.stop();
    await this.ledger.close();
  }
}
