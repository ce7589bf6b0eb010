import { describe, expect, test } from 'vitest';
import { errorLine, reportError } from './error-report.js';

const canary = 'Canary Jane';
/** Has the class and members of an error of postgres.js, with `query` and `parameters` of the statement. */
class PostgresError extends Error {}
const fromPostgres = (message: string, members: object) =>
  Object.assign(new PostgresError(message), { severity: 'ERROR', query: 'insert into t values ($1)', ...members });
const reported = (error: unknown) => JSON.stringify([reportError(error), errorLine(error)]);

describe('the report of an error', () => {
  test.each([
    ['22P02', `invalid input syntax for type integer: "${canary}"`],
    ['22007', `invalid input syntax for type timestamp with time zone: "${canary}"`],
    ['23505', 'duplicate key value violates unique constraint "t_key"'],
    ['23514', `order of ${canary} cannot go`],
    ['P0001', `the delivery of ${canary} cannot be received`],
    ['XX000', `cache lookup failed for ${canary}`],
  ])('of the database, SQLSTATE %s, has code, constraint, table and statement, and no value', (code, message) => {
    const error = fromPostgres(message, {
      code,
      detail: `Failing row contains (${canary})`,
      where: `unnamed portal parameter $1 = '${canary}'`,
      parameters: [canary],
      args: [canary],
      constraint_name: 't_key',
      table_name: 't',
    });
    expect(reportError(error)).toMatchObject({
      ...{ type: 'PostgresError', code, constraint: 't_key', table: 't', statement: 'insert into t values ($1)' },
    });
    expect(reported(error)).not.toContain('Canary');
    expect(errorLine(error)).toBe(`PostgresError (code ${code}, constraint t_key, table t)`);
  });

  test('of a connection keeps its message: it names servers and roles only', () => {
    const error = fromPostgres('password authentication failed for user "holdfast"', { code: '28P01' });
    expect(reportError(error).message).toBe('password authentication failed for user "holdfast"');
  });

  test("of Drizzle, whose message holds the parameters, has its cause's facts", () => {
    const cause = fromPostgres('duplicate key value', { code: '23505', constraint_name: 't_key' });
    const message = `Failed query: insert into t values ($1)\nparams: ${canary}\n    at ${canary} (x:1)`;
    const error = Object.assign(new Error(message, { cause }), {
      query: 'insert into t values ($1)',
      params: [canary],
    });
    expect(reportError(error)).toMatchObject({ type: 'Error', cause: { code: '23505', constraint: 't_key' } });
    expect(reported(error)).not.toContain('Canary');
  });

  test('of unreadable JSON does not quote it', () => {
    const quoting = () => JSON.parse(`${canary} is not JSON`);
    expect(quoting).toThrow(/Canary/);
    try {
      quoting();
    } catch (error) {
      expect(reported(error)).not.toContain('Canary');
    }
  });

  test.each([
    ['550 no such user canary.jane@example.test', '550 no such user [mail]'],
    ['card tok_canary_1 refused', 'card tok_… refused'],
    ['card pm_canary_1 refused', 'card pm_… refused'],
    ['{"client_secret":"pi_1_secret_canary"}', '{"client_secret":"pi_1_secret_…'],
    [`key hf_dev_${'ab'.repeat(24)}_0123abcd`, 'key [key]'],
    [`hash ${'0a'.repeat(32)}`, 'hash [digest]'],
  ])('masks secrets: %s', (message, shown) => {
    expect(reportError(new Error(message)).message).toBe(shown);
  });

  test('is small however large, deep or strange the error is', () => {
    let error: Error = new Error('x'.repeat(1_000_000));
    for (let depth = 0; depth < 100; depth++) error = new Error('y'.repeat(10_000), { cause: error });
    const circle = new Error('circle');
    circle.cause = circle;
    const many = new AggregateError(
      Array.from({ length: 1000 }, () => error),
      'many',
    );
    for (const each of [error, circle, many]) expect(reported(each).length).toBeLessThan(50_000);
    for (const strange of [undefined, null, canary, { password: canary }, [canary]])
      expect(reported(strange)).not.toContain('Canary');
  });
});
