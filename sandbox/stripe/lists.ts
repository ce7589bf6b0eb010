/** Stripe's lists: newest first, a page at a time. */
import { invalid } from './errors.js';
import type { Page } from './parameters.js';
import { type Json, seconds } from './views.js';

interface Listed {
  readonly id: string;
  /** In ms since 1970. */
  readonly at: number;
}

/**
 * One page, in the shape of a list.
 * @param items oldest first
 */
export function pageOf<T extends Listed>(items: readonly T[], page: Page, url: string, view: (item: T) => Json): Json {
  const newestFirst = items.filter(({ at }) => isWithin(seconds(at), page.created)).reverse();
  const { limit, starting_after: after, ending_before: before } = page;
  if (before !== undefined) {
    const end = placeOf(newestFirst, before, 'ending_before');
    const start = Math.max(0, end - limit);
    return list(newestFirst.slice(start, end).map(view), start > 0, url);
  }
  const start = after === undefined ? 0 : placeOf(newestFirst, after, 'starting_after') + 1;
  return list(newestFirst.slice(start, start + limit).map(view), newestFirst.length > start + limit, url);
}

function list(data: readonly Json[], hasMore: boolean, url: string): Json {
  return { object: 'list', data, has_more: hasMore, url };
}

function placeOf(items: readonly Listed[], id: string, param: string): number {
  const place = items.findIndex((item) => item.id === id);
  if (place === -1) throw invalid(`No such object in this list: ${id}`, param, 'resource_missing');
  return place;
}

function isWithin(created: number, asked: Page['created']): boolean {
  if (asked === undefined) return true;
  if (typeof asked === 'number') return created === asked;
  const { gt = -1, gte = 0, lt = Number.POSITIVE_INFINITY, lte = Number.POSITIVE_INFINITY } = asked;
  return created > gt && created >= gte && created < lt && created <= lte;
}
