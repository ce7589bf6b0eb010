/** Normalizes paths, so that two spellings of a path reach the same route and count as the same idempotent request. */
import type { RequestHandler } from 'express';

/** RFC 3986, section 6.2.2: decodes escapes of unreserved characters, and writes the others in upper case. */
export function canonicalPath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%[0-9a-fA-F]{2}/g, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase();
  });
}

/** Gives the request its canonical path; `originalUrl` stays as it was sent. */
export const canonicalUrl: RequestHandler = (req, _res, next) => {
  const [path = '', ...query] = req.url.split('?');
  req.url = [canonicalPath(path), ...query].join('?');
  next();
};

/**
 * Orders paths so that a literal segment comes before a parameter in its place: `/api/inventory/batch` is never the
 * product `batch` of `/api/inventory/:sku`, whichever resource is mounted first. OpenAPI matches in this order too.
 */
export function bySpecificity(a: string, b: string): number {
  const [left, right] = [shapeOf(a), shapeOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A digit for each segment: 0 for a literal one, 1 for a parameter. */
function shapeOf(path: string): string {
  return path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '1' : '0'))
    .join('');
}
