/** A stack for the tests of one file, started before them and stopped after them. */
import { afterAll, beforeAll } from 'vitest';
import { Shop } from '../shop.js';
import { type Outside, outsideOf } from '../temporal.js';
import { noRateLimits } from './settings.js';
import { type Stack, startStack } from './stack.js';

/** Retry waits at a hundredth, a short gateway timeout, no rate limits. */
export const quickSettings = {
  RETRY_BASE_SCALE: '0.01',
  GATEWAY_TIMEOUT_SECONDS: '1',
  ...noRateLimits,
};

/** Its members exist once the stack runs: use them inside tests and hooks only. */
export interface OwnStack {
  readonly stack: Stack;
  readonly shop: Shop;
  readonly outside: Outside;
}

/** @param settings on top of quick retries and no rate limit */
export function ownStack(settings: Readonly<Record<string, string>>): OwnStack {
  let started: OwnStack | null = null;
  beforeAll(async () => {
    const stack = await startStack({ ...quickSettings, ...settings });
    try {
      started = { stack, shop: new Shop(stack), outside: await outsideOf(stack) };
    } catch (error) {
      await stack.stop();
      throw error;
    }
  });
  afterAll(async () => {
    try {
      await started?.outside.close();
    } finally {
      await started?.stack.stop();
    }
  });
  const running = (): OwnStack => {
    if (started === null) throw new Error('the stack does not run yet: use it inside a test or a hook');
    return started;
  };
  return {
    get stack() {
      return running().stack;
    },
    get shop() {
      return running().shop;
    },
    get outside() {
      return running().outside;
    },
  };
}
