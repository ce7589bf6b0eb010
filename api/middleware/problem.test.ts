import postgres from 'postgres';
import { expect, test } from 'vitest';
import { isUnavailable } from './problem.js';

/** As postgres.js makes it of the server's answer, whatever its types say. */
const postgresError = (code: string, where?: string) =>
  Object.assign(Object.create(postgres.PostgresError.prototype), { code, ...(where && { where }) });
const inBody = 'PL/pgSQL function stock_apply(jsonb) line 7 at RETURN';

test.each(['42846', '42703', '42883'])(
  '%s from one of our functions means that an upgrade overtook the call',
  (code) => {
    expect(isUnavailable(postgresError(code, inBody))).toBe(true);
    expect(isUnavailable(new Error('a query failed', { cause: postgresError(code, inBody) }))).toBe(true);
    // A statement of ours names what does not exist: that is a bug.
    expect(isUnavailable(postgresError(code))).toBe(false);
  },
);

test('other errors of our functions stay bugs', () => {
  expect(isUnavailable(postgresError('42P01', inBody))).toBe(false);
  expect(isUnavailable(postgresError('P0001', inBody))).toBe(false);
});
