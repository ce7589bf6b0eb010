/**
 * What every client of a card processor promises. A provider's test runs the suite against its processor, or against a
 * stand-in that speaks the processor's wire, through a tap that counts requests and loses answers.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { testBooks } from './conformance/books.fixture.js';
import { testCards } from './conformance/cards.fixture.js';
import { testCharges } from './conformance/charges.fixture.js';
import { testFaults } from './conformance/faults.fixture.js';
import { testFingerprints } from './conformance/fingerprints.fixture.js';
import type { Processor, Provider, Suite } from './conformance/provider.fixture.js';
import { testRefunds } from './conformance/refunds.fixture.js';
import type { PaymentGateway } from './gateway.js';
import { openTap, type Tap } from './tap.fixture.js';

export function describeProvider(name: string, provider: Provider): void {
  describe(`the ${name} gateway`, () => {
    let processor: Processor;
    let tap: Tap;
    let gateway: PaymentGateway;

    beforeAll(async () => {
      processor = await provider.start();
      tap = await openTap(processor.url);
      gateway = await provider.connect(tap.url);
    }, 60_000);
    afterAll(async () => {
      await gateway.close();
      await tap.close();
      await processor.stop();
    });

    const suite: Suite = {
      provider,
      get gateway() {
        return gateway;
      },
      get tap() {
        return tap;
      },
      get byHand() {
        return processor.byHand;
      },
    };
    testCharges(suite);
    testCards(suite);
    testRefunds(suite);
    testBooks(suite);
    testFaults(suite);
    testFingerprints(suite);
  });
}
