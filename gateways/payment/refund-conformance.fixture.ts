/** What every client of a card processor promises about refunds (conformance.fixture.ts). */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { AuthorizationBooks, PaymentGateway, RefundCall } from './gateway.js';
import type { Tap } from './tap.fixture.js';

interface Processor {
  readonly gateway: () => PaymentGateway;
  readonly tap: () => Tap;
  /** A payment of 4200 that was captured. */
  readonly captured: () => Promise<{ readonly paymentId: string; readonly authorizationId: string }>;
  readonly booksOf: (authorizationId: string) => Promise<AuthorizationBooks>;
}

const noAnswer = { name: 'GatewayFault', fault: 'no_answer' };

export function describeRefunds({ gateway, tap, captured, booksOf }: Processor): void {
  /** Two refunds of one captured payment, of the same amount. */
  async function refunds() {
    const payment = await captured();
    const call = (): RefundCall => ({
      ...{ refundId: `rfd_${randomUUID().replaceAll('-', '')}`, attempt: 0, ...payment, amount: 700, currency: 'GBP' },
    });
    return { id: payment.authorizationId, first: call(), second: call() };
  }

  it('returns money once for each refund of a payment, though two are of the same amount', async () => {
    const { first, second, id } = await refunds();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        gateway()
          .refund(first)
          .catch(() => null),
      ),
    );
    const made = answers.find((answer) => answer !== null);
    expect(made).toMatchObject({ kind: 'succeeded' });
    for (const answer of [...answers, await gateway().refund(first), await gateway().findRefund(first)])
      if (answer !== null) expect(answer).toEqual(made);
    expect((await booksOf(id)).refunded).toBe(700);
    expect(await gateway().findRefund(second)).toBeNull();
    expect(await gateway().refund(second)).not.toEqual(made);
    expect((await booksOf(id)).refunded).toBe(1400);
    // Another attempt at the same refund is another operation.
    await gateway().refund({ ...second, attempt: 1 });
    const { refunded, refunds: booked } = await booksOf(id);
    expect([refunded, booked.map(({ refundId, amount }) => [refundId, amount])]).toEqual([
      2100,
      expect.arrayContaining([
        [first.refundId, 700],
        [second.refundId, 700],
      ]),
    ]);
  });

  it('finds a refund whose answer was lost, and repeats one that never arrived', async () => {
    const { first, second, id } = await refunds();
    tap().loseAnswers(1);
    await expect(gateway().refund(first)).rejects.toMatchObject(noAnswer);
    expect(await gateway().findRefund(first)).toMatchObject({ kind: 'succeeded' });
    tap().loseRequests(1);
    await expect(gateway().refund(second)).rejects.toMatchObject(noAnswer);
    expect(await gateway().findRefund(second)).toBeNull();
    expect(await gateway().refund(second)).toMatchObject({ kind: 'succeeded' });
    expect((await booksOf(id)).refunded).toBe(1400);
  });

  it('refuses to return more than is left of what was captured', async () => {
    const { first, second, id } = await refunds();
    await gateway().refund({ ...first, amount: 3501 });
    expect(await gateway().refund(second)).toEqual({ kind: 'over_refund' });
    expect(await gateway().refund({ ...second, attempt: 1, amount: 699 })).toMatchObject({ kind: 'succeeded' });
    expect((await booksOf(id)).refunded).toBe(4200);
  });
}
