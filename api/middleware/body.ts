/**
 * Reads the body and refuses card numbers, wherever in the request they stand, before anything else looks at it. Card
 * numbers are sought in the raw bytes, so that they are found in what is not JSON, and again in what JSON made of them,
 * so that escapes do not hide them.
 */
import express, { type RequestHandler } from 'express';
import { holdsCardNumber } from '../../domain/card-numbers.js';
import { refusal } from '../../domain/errors.js';
import { type BodyReading, stateOf } from '../request-state.js';
import { sendRefusal } from './problem.js';

export const maxBodyBytes = 256 * 1024;

const cardDataForbidden = refusal(
  'card_data_forbidden',
  'the request holds what looks like a card number; send a card token instead. Nothing of it was kept.',
);

/**
 * Headers that proxies and tracing agents add to every call, with random numbers that would pass for card numbers in one
 * call of twenty. Nothing here reads, keeps or logs them (docs/adr/0010-what-is-no-card-number.md).
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
  const texts = [req.originalUrl, decoded(req.originalUrl)];
  if (texts.some(holdsCardNumber)) {
    stateOf(req).pathIsSecret = true;
    return sendRefusal(req, res, cardDataForbidden);
  }
  if (headersHoldCardNumber(req.rawHeaders)) return sendRefusal(req, res, cardDataForbidden);
  next();
};

/** `raw`: names and values by turns, as they came. */
function headersHoldCardNumber(raw: readonly string[]): boolean {
  for (let place = 0; place < raw.length; place += 2) {
    const [name = '', value = ''] = raw.slice(place, place + 2);
    if (holdsCardNumber(name)) return true;
    if (!tracingHeaders.has(name.toLowerCase()) && holdsCardNumber(value)) return true;
  }
  return false;
}

/** Reads the body into a buffer, whatever its type is said to be. A content coding is refused, not undone. */
export const readBody = express.raw({ type: () => true, limit: maxBodyBytes, inflate: false });

/** Refuses card numbers in the body; takes it as JSON. */
export const refuseCardDataInBody: RequestHandler = (req, res, next) => {
  const bytes: unknown = req.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return next();
  const state = stateOf(req);
  if (holdsCardNumber(bytes.toString('latin1'))) return sendRefusal(req, res, cardDataForbidden);
  state.body = parseJson(bytes);
  if (state.body.kind === 'json' && valueHoldsCardNumber(state.body.value))
    return sendRefusal(req, res, cardDataForbidden);
  next();
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseJson(bytes: Buffer): BodyReading {
  try {
    return { kind: 'json', value: JSON.parse(utf8.decode(bytes)) };
  } catch {
    return { kind: 'malformed' };
  }
}

/** Walks without recursion: a body may be nested deeper than the stack is high. */
function valueHoldsCardNumber(root: unknown): boolean {
  const rest: unknown[] = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value === 'string') {
      if (holdsCardNumber(value)) return true;
    } else if (typeof value === 'number') {
      if (holdsCardNumber(String(value))) return true;
    } else if (typeof value === 'object' && value !== null) {
      if (!Array.isArray(value) && Object.keys(value).some(holdsCardNumber)) return true;
      for (const member of Object.values(value)) rest.push(member);
    }
  }
  return false;
}

function decoded(url: string): string {
  const spaced = url.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // A broken escape must not hide the rest.
    return spaced.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}
