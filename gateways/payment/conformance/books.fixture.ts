import { expect, it } from 'vitest';
import type { ListedPage, PaymentGateway } from '../gateway.js';
import { authorized, booksOf, captured, operationOn, type Suite } from './provider.fixture.js';

/** The processor's books, and what has changed in them. */
export function testBooks(suite: Suite): void {
  const { good } = suite.provider.tokens;

  it('has no books of an authorization that does not exist', async () => {
    expect(await suite.gateway.read('auth_nobody')).toBeNull();
  });

  it('a refund that was made by hand is in the books, and is none of ours', async () => {
    const { id } = await captured(suite);
    await suite.byHand.refund(id, 700);
    const byHand = { refundId: null, amount: 700, status: 'succeeded', failure: null };
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, refunded: 700, refunds: [byHand] });
  });

  it('a dispute is in the books, open and then decided', async () => {
    const { byHand } = suite;
    const { id } = await captured(suite);
    const dispute = await byHand.dispute(id, 3000);
    const shown = { providerReference: dispute, amount: 3000, currency: 'GBP', reason: expect.any(String) };
    expect(await booksOf(suite, id)).toMatchObject({
      ...{ status: 'captured', refundable: false },
      disputes: [{ ...shown, status: 'open', refundable: false, closedAt: null }],
    });
    await byHand.close(dispute, 'won');
    expect(await booksOf(suite, id)).toMatchObject({ refundable: true, disputes: [{ ...shown, status: 'won' }] });
  });

  it('a lost dispute is in the books as lost', async () => {
    const { byHand } = suite;
    const { id } = await captured(suite);
    await byHand.close(await byHand.dispute(id, 4200), 'lost');
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, disputes: [{ amount: 4200, status: 'lost' }] });
  });

  it('an inquiry is no dispute yet: the payment can be refunded', async () => {
    const { id } = await captured(suite);
    await suite.byHand.dispute(id, 4200, true);
    expect(await booksOf(suite, id)).toMatchObject({ refundable: true, disputes: [{ status: 'inquiry' }] });
  });

  it('lists what changed since an instant: charges, refunds and disputes, page by page', async () => {
    const since = new Date(Date.now() - 1000).toISOString();
    const [charged, refunded, disputed] = await Promise.all([captured(suite), captured(suite), captured(suite)]);
    // Enough for several pages.
    const many = await inTurns(Array.from({ length: 110 }, () => () => authorized(suite, operationOn(good))));
    await suite.byHand.refund(refunded.id, 100);
    await suite.byHand.dispute(disputed.id, 100);
    const ids = [charged.id, refunded.id, disputed.id, ...many];
    await expect
      .poll(async () => {
        const { pages, listed } = await changesSince(suite.gateway, since);
        return pages > 1 && ids.every((id) => listed.has(id));
      })
      .toBe(true);
  });

  it('lists what was made in a window, page by page: payments, refunds and disputes, each with its payment', async () => {
    const { gateway, byHand } = suite;
    const from = new Date(Date.now() - 1000).toISOString();
    const [open, refunded, disputed] = [operationOn(good), await captured(suite), await captured(suite)];
    const openId = await authorized(suite, open);
    // Enough for several pages.
    const many = await inTurns(Array.from({ length: 110 }, () => () => authorized(suite, operationOn(good))));
    await byHand.refund(refunded.id, 700);
    const disputeId = await byHand.dispute(disputed.id, 300);
    const { pages, payments, refunds, disputes } = await listOf(
      gateway,
      from,
      new Date(Date.now() + 5000).toISOString(),
    );
    expect(pages).toBeGreaterThan(1);
    const known = new Map(payments.map((payment) => [payment.authorizationId, payment]));
    expect(many.filter((id) => !known.has(id))).toEqual([]);
    const ours = { paymentId: open.paymentId, card: 'primary', madeBy: 'us', reference: open.reference };
    const money = { amount: 4200, currency: 'GBP', expired: false };
    expect(known.get(openId)).toMatchObject({ ...ours, ...money, status: 'authorized', captured: 0 });
    expect(known.get(refunded.id)).toMatchObject({ ...money, status: 'captured', captured: 4200 });
    expect(Date.parse(known.get(openId)?.createdAt ?? '')).toBeGreaterThanOrEqual(Date.parse(from) - 1000);
    expect(refunds.filter(({ authorizationId }) => authorizationId === refunded.id)).toMatchObject([
      { refundId: null, amount: 700, status: 'succeeded' },
    ]);
    expect(disputes.filter(({ authorizationId }) => authorizationId === disputed.id)).toMatchObject([
      { providerReference: disputeId, amount: 300, status: 'open' },
    ]);
    // What it lists is what it shows of each.
    for (const { id } of [refunded, disputed]) {
      const { paymentId, card, madeBy, status, amount, currency, captured, createdAt } = await booksOf(suite, id);
      expect(known.get(id)).toMatchObject({ paymentId, card, madeBy, status, amount, currency, captured, createdAt });
    }
  });

  it('lists nothing of another window', async () => {
    await captured(suite);
    const { payments } = await listOf(suite.gateway, '2020-01-01T00:00:00Z', '2020-02-01T00:00:00Z');
    expect(payments).toEqual([]);
  });

  it('a short page of the list has fewer items, and leads on to the others', async () => {
    const from = new Date(Date.now() - 1000).toISOString();
    const ids = await inTurns(Array.from({ length: 7 }, () => () => authorized(suite, operationOn(good))));
    const { pages, payments } = await listOf(suite.gateway, from, new Date(Date.now() + 5000).toISOString(), true);
    expect(pages).toBeGreaterThan(1);
    const known = new Set(payments.map(({ authorizationId }) => authorizationId));
    expect(ids.filter((id) => !known.has(id))).toEqual([]);
  });

  it('what changes while the pages are read is in this look or in the next', async () => {
    const { gateway } = suite;
    await inTurns(Array.from({ length: 110 }, () => () => authorized(suite, operationOn(good))));
    const meanwhile: string[] = [];
    const since = new Date(Date.now() - 60_000).toISOString();
    const first = await changesSince(gateway, since, async () => {
      meanwhile.push(await authorized(suite, operationOn(good)));
    });
    expect(first.pages).toBeGreaterThan(1);
    await expect
      .poll(async () => {
        const next = await changesSince(gateway, first.until);
        return meanwhile.every((id) => first.listed.has(id) || next.listed.has(id));
      })
      .toBe(true);
  });
}

/** One look, from the first page to the last. @param afterPage called before the next page is read */
async function changesSince(
  gateway: PaymentGateway,
  since: string,
  afterPage: () => Promise<void> = async () => undefined,
) {
  const listed = new Set<string>();
  let pages = 0;
  let cursor: string | null = null;
  for (;;) {
    const page = await gateway.changes({ since, cursor });
    pages++;
    for (const { authorizationId } of page.books) listed.add(authorizationId);
    for (const { paymentIntentId } of page.events) if (paymentIntentId !== null) listed.add(paymentIntentId);
    if (page.cursor === null) return { listed, pages, until: page.until };
    ({ cursor } = page);
    await afterPage();
  }
}

/** The whole list of a window. */
async function listOf(gateway: PaymentGateway, from: string, to: string, short = false) {
  const pages: ListedPage[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: ListedPage = await gateway.list({ from, to, cursor, short });
    pages.push(page);
    if (page.cursor === null) break;
    ({ cursor } = page);
  }
  return {
    pages: pages.length,
    payments: pages.flatMap(({ payments }) => payments),
    refunds: pages.flatMap(({ refunds }) => refunds),
    disputes: pages.flatMap(({ disputes }) => disputes),
  };
}

/** Ten at a time. */
async function inTurns<T>(calls: readonly (() => Promise<T>)[]): Promise<T[]> {
  const made: T[] = [];
  for (let next = 0; next < calls.length; next += 10)
    made.push(...(await Promise.all(calls.slice(next, next + 10).map((call) => call()))));
  return made;
}
