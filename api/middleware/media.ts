/** Media types: requests and answers are JSON in UTF-8, without a content coding (RFC 9110, sections 8 and 12). */
import { parse } from 'content-type';
import { type Refusal, refusal } from '../../domain/errors.js';

const offered = 'application/json';

/**
 * Refuses a body that is not JSON in UTF-8. A body without a type is accepted.
 * @param contentType the header as it was sent
 */
export function contentTypeRefusal(contentType: string | undefined): Refusal | null {
  if (contentType === undefined) return null;
  const { type, parameters } = parse(contentType);
  const subtype = type.startsWith('application/') ? type.slice('application/'.length) : '';
  if (subtype !== 'json' && !/^[^/]+\+json$/.test(subtype))
    return refusal('unsupported_media_type', 'the body must be sent as application/json');
  const { charset } = parameters;
  if (charset === undefined || /^utf-?8$/i.test(charset)) return null;
  return refusal('unsupported_media_type', 'JSON must be sent in UTF-8');
}

/** The refusal of any `Content-Encoding`. */
export const contentCodingRefusal: Refusal = refusal(
  'unsupported_media_type',
  'the body must be sent without a Content-Encoding',
);

/**
 * Refuses a client that does not accept JSON. Only the parameter `q` counts: the answer is JSON in UTF-8, whatever version or
 * profile of it the client prefers. Problem documents are sent to every client.
 * @param accept the header as it was sent
 */
export function acceptRefusal(accept: string | undefined): Refusal | null {
  if (accept === undefined || accept.trim() === '') return null;
  let best = { specificity: 0, q: 0 };
  for (let start = 0; start < accept.length; ) {
    const { type, parameters, index } = parse(accept, { start, comma: true });
    const specificity = specificityOf(type);
    const q = qualityOf(parameters.q);
    const closer = specificity > best.specificity || (specificity === best.specificity && q > best.q);
    if (specificity > 0 && closer) best = { specificity, q };
    start = index + 1;
  }
  return best.q > 0 ? null : refusal('not_acceptable', `the answer is always ${offered}; see Accept`);
}

/** How closely a media range matches the offered type; 0 if it does not. */
function specificityOf(range: string): number {
  return ['*/*', 'application/*', offered].indexOf(range) + 1;
}

/** RFC 9110, section 12.4.2; a value that is not a number counts as absent. */
function qualityOf(q: string | undefined): number {
  const value = Number(q ?? '1');
  return Number.isNaN(value) ? 1 : value;
}
