/** The ids in the paths of the card processor. */
import type { Request } from 'express';
import { BadRequest } from '../http.js';

/** An id that is too long is not looked up. */
export function authorizationIdOf(req: Request): string {
  return idOf(req.params.authorizationId) ?? unknownAuthorization();
}

export function disputeIdOf(req: Request): string {
  return idOf(req.params.disputeId) ?? unknownDispute();
}

export function unknownAuthorization(): never {
  throw new BadRequest(404, 'unknown_authorization', 'there is no such authorization');
}

export function unknownDispute(): never {
  throw new BadRequest(404, 'unknown_dispute', 'there is no such dispute');
}

function idOf(param: string | string[] | undefined): string | null {
  return typeof param === 'string' && param.length <= 255 ? param : null;
}
