import { ApplicationFailure } from '@temporalio/common';
import { DrizzleQueryError } from 'drizzle-orm';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { lastingFailure } from '../domain/retry.js';
import { storable } from './failures.js';

/** An error of Postgres as the driver throws it. */
const refusal = (code: string, message: string): postgres.PostgresError =>
  Object.assign(Object.create(postgres.PostgresError.prototype), { name: 'PostgresError', code, message });

const failing = (error: unknown, attempt = 1): Promise<ApplicationFailure> =>
  storable(() => Promise.reject(error), attempt).then(
    () => expect.fail('it did not fail'),
    (failure) => failure,
  );

describe('an error of an activity', () => {
  it.each(['21000', '22000', '22P02', '22P05', '23502', '23503', '23514', '54000', 'P0001'])(
    'is lasting where Postgres refuses a value or a constraint fails: %s',
    async (code) => {
      const failure = await failing(refusal(code, 'no'));
      expect(failure).toBeInstanceOf(ApplicationFailure);
      expect([failure.type, failure.nonRetryable]).toEqual([lastingFailure, false]);
      expect(failure.message).toContain(code);
    },
  );

  it.each(['08006', '25006', '40001', '40P01', '53300', '57P01', '57014', '58030', 'XX000'])(
    'is unchanged where Postgres itself has trouble: %s',
    async (code) => {
      const trouble = refusal(code, 'no');
      expect(await failing(trouble)).toBe(trouble);
    },
  );

  it('is retried twice where two transactions wrote the same key, and is lasting after that', async () => {
    const twice = refusal('23505', 'twice');
    expect([await failing(twice, 1), await failing(twice, 2)]).toEqual([twice, twice]);
    expect((await failing(twice, 3)).type).toBe(lastingFailure);
    const collision = Object.assign(refusal('23505', 'twice'), { constraint_name: 'stock_operations_pkey' });
    expect(await failing(collision, 9)).toBe(collision);
  });

  it('contains neither the statement nor its values', async () => {
    const cause = refusal('22P02', 'invalid input syntax for type integer: "Jane Doe"');
    const failure = await failing(new DrizzleQueryError('insert into orders values ($1)', ['jane@example.com'], cause));
    expect(failure.type).toBe(lastingFailure);
    expect(failure.message).not.toMatch(/jane|insert/i);
  });

  it('is unchanged where it does not come from Postgres', async () => {
    const other = new Error('x'.repeat(3_000_000));
    expect(await failing(other)).toBe(other);
  });
});

describe('a result of an activity', () => {
  it.each([{ a: 1 }, null, undefined, 'text', 5])('is unchanged: %j', async (result) => {
    expect(await storable(async () => result, 1)).toEqual(result);
  });

  it.each([
    ['is larger than Temporal takes', () => 'x'.repeat(2_000_000)],
    ['is larger than Temporal takes, in bytes', () => '€'.repeat(500_000)],
    ['is a circle', circle],
    ['is no JSON', () => ({ amount: 5n })],
  ])('is a lasting failure where it %s', async (_what, result) => {
    await expect(storable(async () => result(), 1)).rejects.toMatchObject({ type: lastingFailure });
  });
});

function circle(): object {
  const it: { self?: object } = {};
  it.self = it;
  return it;
}
