/** The card processors of a process, by name. A payment stays at the processor that it was made at. */
import type { GatewayName } from '../../domain/payments/gateways.js';
import type { PaymentGateway } from './gateway.js';

export interface PaymentGateways {
  /** Throws if this process has no client for the processor: a wrong setting, which says nothing about the payment. */
  of(name: GatewayName): PaymentGateway;
}

export function paymentGateways(gateways: readonly PaymentGateway[]): PaymentGateways {
  const byName = new Map(gateways.map((gateway) => [gateway.name, gateway]));
  return {
    of(name) {
      const gateway = byName.get(name);
      if (gateway === undefined)
        throw new Error(`the card processor ${name} is not set up here, but a payment is there`);
      return gateway;
    },
  };
}
