import { expect, test } from 'vitest';
import { untilStarted } from './until-started.js';

const log = { warn: () => undefined };

test('a start that fails is repeated until it succeeds', async () => {
  let attempts = 0;
  const start = async () => {
    attempts++;
    if (attempts < 3) throw new Error('Postgres is away');
  };
  await untilStarted(start, { signal: new AbortController().signal, log, waitMs: 1 });
  expect(attempts).toBe(3);
});

test('a start that keeps failing ends with the worker, even during its wait', async () => {
  const ended = new AbortController();
  const start = async () => {
    setTimeout(() => ended.abort(), 10);
    throw new Error('Postgres is away');
  };
  await untilStarted(start, { signal: ended.signal, log, waitMs: 3_600_000 });
  expect(ended.signal.aborted).toBe(true);
});
