/** Reading of the page that a client asks for. */
import { type Cursor, decodeCursor, type ListName } from '../../db/postgres/page.js';
import { type Refused, refuseFields } from './reply.js';
import { defaultLimit } from './schemas.js';

export type PageRequest = { readonly kind: 'page'; readonly limit: number; readonly cursor: Cursor | null };

/** The page of a list that a client asks for. Refuses a cursor that is none, or another list's. */
export function pageRequest(
  list: ListName,
  query: { limit?: number | undefined; cursor?: string | undefined },
): PageRequest | Refused {
  const cursor = query.cursor === undefined ? null : decodeCursor(list, query.cursor);
  if (query.cursor !== undefined && cursor === null) return refuseCursor();
  return { kind: 'page', limit: query.limit ?? defaultLimit, cursor };
}

export const refuseCursor = () =>
  refuseFields('validation_failed', [{ pointer: '/cursor', code: 'invalid', detail: 'is not a cursor of this list' }]);
