/** The audit log: append-only, and free of card data and personal data. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureApiKey, newApiKey, revokeApiKey } from '../../../db/access/api-keys.js';
import { closeReviewBy, openReview } from '../../../db/reviews/reviews.js';
import { Books } from '../books.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

const write = (subject: string, outcome: string, requestId: string | null, detail: object) =>
  books.sql`select audit('api_key:key_1', 'test.done', ${subject}, ${outcome}, ${requestId},
                         ${JSON.stringify(detail)}::text::jsonb)`;

const rowsOf = (subject: string) =>
  books.sql`select actor, action, subject, outcome, request_id as "requestId", detail from audit_log
             where subject = ${subject} order by id`;

test('a row of the audit log can neither be changed nor deleted, by its owner either', async () => {
  const subject = `thing/${randomUUID()}`;
  await write(subject, 'done', null, { amount: 100 });
  for (const statement of ["update audit_log set outcome = 'other'", 'delete from audit_log', 'truncate audit_log'])
    await expect(books.sql.unsafe(statement)).rejects.toThrow(/append-only/);
  expect(await rowsOf(subject)).toEqual([
    {
      ...{ actor: 'api_key:key_1', action: 'test.done', subject, outcome: 'done' },
      requestId: null,
      detail: { amount: 100 },
    },
  ]);
});

describe('card data and personal data do not reach the audit log', () => {
  test.each([
    ['a card token', 'tok_visa_4242'],
    ['a payment method', 'pm_1Qx"y'],
    ['a client secret', 'pi_1_secret_abc'],
    ['a card number', '4242424242424242'],
    ['a card number in groups', '4242 4242 4242 4242'],
    ['a mail address', 'jane.doe@example.com'],
  ])('%s', async (_name, hostile) => {
    const subject = `thing/${randomUUID()}`;
    await write(subject, hostile, `req:${hostile}`, {
      code: hostile,
      deep: { list: [`see ${hostile}.`, 1, null] },
      [hostile]: 2,
    });
    const [row] = await rowsOf(subject);
    const kept = JSON.stringify([row?.outcome, row?.requestId, row?.detail]);
    for (const part of ['visa', '1Qx', 'abc', '4242', 'jane', 'example.com']) expect(kept).not.toContain(part);
    expect(row?.detail).toMatchObject({ deep: { list: [expect.stringContaining('…'), 1, null] } });
  });

  test('ids, codes, amounts and times stay as they are', async () => {
    const subject = `thing/${randomUUID()}`;
    const detail = {
      paymentId: 'pay_01893f2a7b6c7d8e9f00112233445566',
      amount: 1_234_567_890_123,
      code: 'insufficient_funds',
      externalId: '034ac392-6159-4559-8786-3ec8624b5154',
      at: '2026-01-31T12:34:56.123456Z',
      rules: ['velocity', 'amount'],
    };
    await write(subject, 'captured', 'req_01893f2a7b6c7d8e9f00112233445566', detail);
    expect(await rowsOf(subject)).toMatchObject([
      { outcome: 'captured', requestId: 'req_01893f2a7b6c7d8e9f00112233445566', detail },
    ]);
  });
});

const by = { actor: 'api_key:key_1', requestId: 'req_test' };

test('a revoked key that a setting makes valid again is reported, once', async () => {
  const { db } = books.connection;
  const { key } = newApiKey('test');
  const wanted = { key, name: 'x', scopes: ['orders:read'] as const };
  const id = await ensureApiKey(db, wanted);
  await revokeApiKey(db, id, by);
  expect(await ensureApiKey(db, wanted)).toBe(id);
  await ensureApiKey(db, wanted);
  const said = await rowsOf(`api_key/${id}`);
  expect(said.map(({ action }) => action)).toEqual(['key.created', 'key.revoked', 'key.restored']);
});

test.each([
  ['closed by the call itself', null, 1],
  ['closed by the saga that heard of it', { by: 'person', resolution: 'done' }, 1],
  ['closed by a retry that succeeded before', { by: 'success', resolution: 'succeeded' }, 0],
])('the decision about a review that was %s is reported once at most', async (_how, resolution, times) => {
  const { db } = books.connection;
  const id = `rev_${randomUUID()}`;
  const about = {
    kind: 'saga_lost',
    subject: 'order/x',
    detail: {},
    attempts: 1,
    lastError: 'x',
    workflowId: null,
  } as const;
  await openReview(db, { id, ...about });
  const at = new Date().toISOString();
  if (resolution !== null)
    await books.sql`update manual_reviews set status = 'resolved', resolution = ${JSON.stringify(resolution)}::text::jsonb
                     where id = ${id}`;
  for (let call = 1; call <= 2; call++) await closeReviewBy(db, id, { resolution: 'done', note: null, at }, by);
  const said = await rowsOf(`review/${id}`);
  expect(said.filter(({ action }) => action === 'review.done')).toHaveLength(times);
});
