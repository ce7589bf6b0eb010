import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { withoutCustomerData } from './activity-errors.js';

test('an unexpected error is replaced by a short report without the data it quotes', () => {
  const failure = withoutCustomerData(
    Object.assign(new Error(`failed query: insert … params: jane@example.com ${'x'.repeat(3_000_000)}`), {
      query: 'insert into orders values ($1)',
    }),
  );
  expect(failure).toBeInstanceOf(ApplicationFailure);
  const said = JSON.stringify([failure instanceof ApplicationFailure && [failure.message, failure.details], failure]);
  expect(said).not.toContain('jane');
  expect(said.length).toBeLessThan(20_000);
});

test('an ApplicationFailure stays as it is', () => {
  const said = ApplicationFailure.create({ type: 'no_answer', message: 'supplier: no answer in time' });
  expect(withoutCustomerData(said)).toBe(said);
});
