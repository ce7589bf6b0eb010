/** So many requests a minute for each key, counted in this process (docs/adr/0003-rate-limit-in-memory.md). */
import type { RequestHandler } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { refusal } from '../../domain/errors.js';
import { stateOf } from '../request-state.js';
import { sendRefusal } from './problem.js';

const windowSeconds = 60;

/** Comes after authentication. Headers as in draft-ietf-httpapi-ratelimit-headers-10. */
export function rateLimit(requestsPerMinute: number): RequestHandler {
  const limiter = new RateLimiterMemory({ points: requestsPerMinute, duration: windowSeconds });
  return async (req, res, next) => {
    const taken = await limiter.consume(stateOf(req).key?.id ?? '').catch((reason: unknown) => {
      if (reason instanceof RateLimiterRes) return reason;
      throw reason;
    });
    const secondsLeft = Math.max(1, Math.ceil(taken.msBeforeNext / 1000));
    res.set('RateLimit-Policy', `"default";q=${requestsPerMinute};w=${windowSeconds}`);
    res.set('RateLimit', `"default";r=${Math.max(0, taken.remainingPoints)};t=${secondsLeft}`);
    if (taken.consumedPoints <= requestsPerMinute) return next();
    res.set('Retry-After', String(secondsLeft));
    sendRefusal(req, res, refusal('rate_limited', `more than ${requestsPerMinute} requests in a minute`));
  };
}
