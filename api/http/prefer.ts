/** The `Prefer` header (RFC 7240): how long a client waits for a decision. */
import type { Request, Response } from 'express';
import { defaultWaitSeconds, maxWaitSeconds } from '../../domain/limits.js';

/** How long to wait: `wait=N`, or `respond-async` without it. Other preferences are ignored. Sets `Preference-Applied`. */
export function preferredWaitMs(req: Request, res: Response): number {
  const preferences = (req.get('Prefer') ?? '').split(',').map((part) => part.trim().toLowerCase());
  const wait = preferences
    .map((part) => /^wait\s*=\s*"?(\d{1,6})"?$/.exec(part)?.[1])
    .find((value) => value !== undefined);
  if (wait === undefined && !preferences.includes('respond-async')) return defaultWaitSeconds * 1000;
  const seconds = Math.min(Number(wait ?? 0), maxWaitSeconds);
  res.set('Preference-Applied', wait === undefined ? 'respond-async' : `wait=${seconds}`);
  return seconds * 1000;
}
