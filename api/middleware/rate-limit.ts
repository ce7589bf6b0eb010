/**
 * So many requests a minute: for each key, and for each address from which calls come that show no valid key. Counted in
 * this process (docs/adr/0003-rate-limit-in-memory.md).
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

async function taken(limiter: RateLimiterMemory, whose: string): Promise<RateLimiterRes> {
  return await limiter.consume(whose).catch((reason: unknown) => {
    if (reason instanceof RateLimiterRes) return reason;
    throw reason;
  });
}

/** Headers as in draft-ietf-httpapi-ratelimit-headers-10. Returns the refusal where nothing is left. */
function tell(res: Response, policy: string, limit: number, used: RateLimiterRes): Refusal | null {
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
    const refused = tell(res, 'default', requestsPerMinute, await taken(limiter, stateOf(req).key?.id ?? ''));
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

  /** Counts a request; tells the client what is left and answers with the refusal where nothing is. */
  async count(req: Request, res: Response): Promise<Refusal | null> {
    return tell(res, 'address', this.requestsPerMinute, await taken(this.#limiter, addressGroup(req.ip)));
  }

  /** Takes back one request that was counted, since its key was valid. */
  async forgive(req: Request, res: Response): Promise<void> {
    await this.#limiter.reward(addressGroup(req.ip), 1);
    for (const name of ['RateLimit-Policy', 'RateLimit']) res.removeHeader(name);
  }
}
