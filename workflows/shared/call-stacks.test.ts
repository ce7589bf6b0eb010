import { afterEach, expect, test } from 'vitest';
import { hideCallStacks, showCallStacks } from './call-stacks.js';

class Own extends Error {}

afterEach(showCallStacks);

test('while call stacks are hidden, only an Error that says nothing has none', () => {
  hideCallStacks();
  expect(new Error().stack).toBeUndefined();
  const error = new Error('what went wrong', { cause: 1 });
  expect(error).toMatchObject({ message: 'what went wrong', cause: 1 });
  expect(error.stack).toContain('call-stacks.test.ts');
});

test('errors of every kind are errors on both sides of the change', () => {
  const before = [new Error('plain'), new Own('own'), new TypeError('type')];
  hideCallStacks();
  class Later extends Error {}
  const meanwhile = [new Error('plain'), new Own(), new Later(), new RangeError('range')];
  for (const error of [...before, ...meanwhile]) expect(error instanceof Error).toBe(true);
  showCallStacks();
  for (const error of [...before, ...meanwhile]) expect(error instanceof Error).toBe(true);
  expect(new Later().stack).toContain('call-stacks.test.ts');
});

test('afterwards every Error has its stack again', () => {
  hideCallStacks();
  showCallStacks();
  expect(new Error().stack).toContain('call-stacks.test.ts');
});
