/** Pages of lists: what a client asks for, and what it sees. */
import { type Cursor, decodeCursor, type ListName, type Page } from '../../db/postgres/page.js';
import { defaultPageSize } from '../../domain/limits.js';
import { type Refused, refuseFields } from './reply.js';

export type PageRequest = { readonly kind: 'page'; readonly limit: number; readonly cursor: Cursor | null };

/** The requested page of a list. Refuses a cursor that is invalid or belongs to another list. */
export function pageRequest(
  list: ListName,
  query: { limit?: number | undefined; cursor?: string | undefined },
): PageRequest | Refused {
  const cursor = query.cursor === undefined ? null : decodeCursor(list, query.cursor);
  if (query.cursor !== undefined && cursor === null) return refuseCursor();
  return { kind: 'page', limit: query.limit ?? defaultPageSize, cursor };
}

export const refuseCursor = () =>
  refuseFields('validation_failed', [{ pointer: '/cursor', code: 'invalid', detail: 'is not a cursor of this list' }]);

/** A page of rows as a client sees it. */
export function viewPage<Row, View>({ items, nextCursor }: Page<Row>, view: (row: Row) => View): Page<View> {
  return { items: items.map(view), nextCursor };
}
