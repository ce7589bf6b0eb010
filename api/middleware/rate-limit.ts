/**
 * Limits requests per minute for each key, and for each address whose calls have no valid key. Each process counts by itself
 * (docs/adr/0003-rate-limit-in-memory.md).
 */
import type { Request, RequestHandler, Response } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { type Refusal, refusal } from '../../domain/errors.js';
import { stateOf } from '../http/request-state.js';
import { addressGroup } from './address-group.js';
import { sendRefusal } from './problem.js';

const windowSeconds = 60;

const limiterOf = (requestsPerMinute: number) =>
  new RateLimiterMemory({ points: requestsPerMinute, duration: windowSeconds });

async function countRequest(limiter: RateLimiterMemory, caller: string): Promise<RateLimiterRes> {
  return await limiter.consume(caller).catch((reason: unknown) => {
    if (reason instanceof RateLimiterRes) return reason;
    throw reason;
  });
}

/** Sets the headers of draft-ietf-httpapi-ratelimit-headers-10. Returns the refusal of a caller over its limit. */
function setLimitHeaders(res: Response, policy: string, limit: number, used: RateLimiterRes): Refusal | null {
  const secondsLeft = Math.max(1, Math.ceil(used.msBeforeNext / 1000));
  res.set('RateLimit-Policy', `"${policy}";q=${limit};w=${windowSeconds}`);
  res.set('RateLimit', `"${policy}";r=${Math.max(0, used.remainingPoints)};t=${secondsLeft}`);
  if (used.consumedPoints <= limit) return null;
  res.set('Retry-After', String(secondsLeft));
  return refusal('rate_limited', `more than ${limit} requests in a minute`);
}

/** Limits a caller by its key. Comes after authentication. */
export function rateLimit(requestsPerMinute: number): RequestHandler {
  const limiter = limiterOf(requestsPerMinute);
  return async (req, res, next) => {
    const refused = setLimitHeaders(
      res,
      'default',
      requestsPerMinute,
      await countRequest(limiter, stateOf(req).key?.id ?? ''),
    );
    if (refused) sendRefusal(req, res, refused);
    else next();
  };
}

/** Limits callers without a valid key by their address. */
export class AddressLimit {
  readonly #limiter: RateLimiterMemory;

  constructor(private readonly requestsPerMinute: number) {
    this.#limiter = limiterOf(requestsPerMinute);
  }

  /** Counts a request, and sets the headers that say how many are left. Returns the refusal of a caller over its limit. */
  async count(req: Request, res: Response): Promise<Refusal | null> {
    return setLimitHeaders(
      res,
      'address',
      this.requestsPerMinute,
      await countRequest(this.#limiter, addressGroup(req.ip)),
    );
  }

  /** Undoes the count of one request, since its key was valid. */
  async forgive(req: Request, res: Response): Promise<void> {
    await this.#limiter.reward(addressGroup(req.ip), 1);
    for (const name of ['RateLimit-Policy', 'RateLimit']) res.removeHeader(name);
  }
}
