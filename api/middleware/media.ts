/** What a client may send and be sent: JSON in UTF-8, without a content coding (RFC 9110, sections 8 and 12). */
import { parse } from 'content-type';
import { type Refusal, refusal } from '../../domain/errors.js';

const offered = 'application/json';

/**
 * Why a body of this type is not read: it is not JSON, or not in UTF-8. Null where it is, and where no type is said.
 * @param contentType the header as it came
 */
export function contentTypeRefusal(contentType: string | undefined): Refusal | null {
  if (contentType === undefined) return null;
  const { type, parameters } = parse(contentType);
  const subtype = type.startsWith('application/') ? type.slice('application/'.length) : '';
  if (subtype !== 'json' && !/^[^/]+\+json$/.test(subtype))
    return refusal('unsupported_media_type', 'the body must be sent as application/json');
  const { charset } = parameters;
  if (charset === undefined || /^utf-?8$/i.test(charset)) return null;
  return refusal('unsupported_media_type', 'JSON is read in UTF-8 only');
}

/** The body came in a content coding (`Content-Encoding`), which is not undone. */
export const contentCodingRefusal: Refusal = refusal(
  'unsupported_media_type',
  'the body must be sent without a Content-Encoding',
);

/**
 * Why nothing here can be sent to a client that accepts only this. Parameters other than `q` are not compared: what is
 * sent is JSON in UTF-8, whatever version or profile of it is asked for. Problem documents are sent to everybody.
 * @param accept the header as it came
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
  return best.q > 0 ? null : refusal('not_acceptable', `only ${offered} can be sent; see Accept`);
}

/** How closely a media range names what is offered: 0 where it does not. */
function specificityOf(range: string): number {
  return ['*/*', 'application/*', offered].indexOf(range) + 1;
}

/** RFC 9110, section 12.4.2; what is no number counts as absent. */
function qualityOf(q: string | undefined): number {
  const value = Number(q ?? '1');
  return Number.isNaN(value) ? 1 : value;
}
