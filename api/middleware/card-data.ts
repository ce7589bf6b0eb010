/** Refuses card numbers anywhere in a request, once its key has been checked and before anything else reads it. */
import type { RequestHandler } from 'express';
import { holdsCardNumber, valueHoldsCardNumber } from '../../domain/cards/numbers.js';
import { refusal } from '../../domain/errors.js';
import { everyReading, urlHoldsCardNumber } from '../http/card-url.js';
import { type BodyReading, stateOf } from '../http/request-state.js';
import { sendRefusal } from './problem.js';

const cardDataForbidden = refusal(
  'card_data_forbidden',
  'the request contains what looks like a card number; send a card token instead. None of it was stored.',
);

/**
 * Headers that proxies and tracing agents add to every call. Their random numbers sometimes look like card numbers.
 * Nothing here reads, stores or logs them (docs/adr/0010-what-is-no-card-number.md).
 */
const tracingHeaders: ReadonlySet<string> = new Set([
  'b3',
  'baggage',
  'sentry-trace',
  'tracestate',
  'uber-trace-id',
  'x-amzn-trace-id',
  'x-b3-parentspanid',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-cloud-trace-context',
  'x-datadog-parent-id',
  'x-datadog-tags',
  'x-datadog-trace-id',
]);

/** Refuses card numbers in path, query and headers. */
export const refuseCardDataInHead: RequestHandler = (req, res, next) => {
  if (urlHoldsCardNumber(req.originalUrl) || headersHoldCardNumber(req.rawHeaders))
    return sendRefusal(req, res, cardDataForbidden);
  next();
};

/** @param raw names and values alternating, as they were sent */
function headersHoldCardNumber(raw: readonly string[]): boolean {
  for (let place = 0; place < raw.length; place += 2) {
    const [name = '', value = ''] = raw.slice(place, place + 2);
    if (holdsCardNumber(name)) return true;
    if (!tracingHeaders.has(name.toLowerCase()) && everyReading(value).some(holdsCardNumber)) return true;
  }
  return false;
}

/**
 * Refuses card numbers in the body, and parses it as JSON. Searches the text as sent, to find card numbers in a body that is
 * not JSON, and the parsed value, so that escapes do not hide them.
 */
export const refuseCardDataInBody: RequestHandler = (req, res, next) => {
  const bytes: unknown = req.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return next();
  const body = readJson(bytes);
  if (body.texts.some(holdsCardNumber) || (body.reading.kind === 'json' && valueHoldsCardNumber(body.reading.value)))
    return sendRefusal(req, res, cardDataForbidden);
  stateOf(req).body = body.reading;
  next();
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The body as JSON, and as every text it can be decoded to. */
function readJson(bytes: Buffer): { readonly texts: readonly string[]; readonly reading: BodyReading } {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { texts: [bytes.toString('utf8'), bytes.toString('latin1')], reading: { kind: 'malformed' } };
  }
  try {
    return { texts: [text], reading: { kind: 'json', value: JSON.parse(text) } };
  } catch {
    return { texts: [text], reading: { kind: 'malformed' } };
  }
}
