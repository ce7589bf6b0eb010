/**
 * Reads the body of a request, up to a limit, once its key has been checked. A caller without a key is trusted with little.
 * A body that is not read, or not to its end, is answered at once; what the client still sends is thrown away for a while,
 * since a connection that is closed under its hands would lose it the answer.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import getRawBody from 'raw-body';
import { refusal } from '../../domain/errors.js';
import { stateOf } from '../http/request-state.js';
import { contentCodingRefusal } from './media.js';
import { sendRefusal } from './problem.js';

const KiB = 1024;
const maxBodyBytes = 256 * KiB;
const maxBodyBytesWithoutKey = 16 * KiB;

/** Reads the body into a buffer, whatever its type is said to be. A content coding is refused, not undone. */
export const readBody: RequestHandler = async (req, res, next) => {
  const limit = stateOf(req).key ? maxBodyBytes : maxBodyBytesWithoutKey;
  const {
    'content-length': length,
    'transfer-encoding': chunked,
    'content-encoding': coding = 'identity',
  } = req.headers;
  if (chunked === undefined && (length === undefined || length === '0')) return next();
  const tooLarge = refusal('too_large', `the body is larger than ${limit / KiB} KiB`);
  if (Number(length) > limit) return sendRefusal(req, res, tooLarge);
  if (coding.toLowerCase() !== 'identity') return sendRefusal(req, res, contentCodingRefusal);
  if (awaitsContinue.delete(req)) {
    res.removeHeader('Connection');
    res.writeContinue();
  }
  try {
    req.body = await getRawBody(req, { limit, length: length ?? null });
    next();
  } catch (error) {
    req.unpipe();
    if (typeof error === 'object' && error !== null && Reflect.get(error, 'type') === 'entity.too.large')
      return sendRefusal(req, res, tooLarge);
    next(error);
  }
};

/** Requests that wait for `100 Continue` before they send their body. */
const awaitsContinue = new WeakSet<IncomingMessage>();

/**
 * For `checkContinue` of the server: the client is to send its body only when readBody asks for it. One that is answered
 * before that may send it or not, so its connection is of no more use.
 */
export function holdBack(req: IncomingMessage): void {
  awaitsContinue.add(req);
}

/** How long, and how much, a client may go on sending after its answer. */
const lingerMs = 5000;
const lingerBytes = 1024 * KiB;

/** Throws away what is left of a body after the answer, so that the connection can be used again or closed in peace. */
export const discardRest: RequestHandler = (req, res, next) => {
  if (awaitsContinue.has(req)) res.set('Connection', 'close');
  res.once('finish', () => {
    if (req.complete || awaitsContinue.has(req)) return;
    const stop = closeLater(req.socket);
    req.once('close', stop);
    req.resume();
  });
  next();
};

/** Closes a connection after a while, or when it has sent more than one may; returns how to call that off. */
export function closeLater(socket: Socket): () => void {
  const from = socket.bytesRead;
  const close = () => socket.destroy();
  const timer = setTimeout(close, lingerMs).unref();
  const count = () => {
    if (socket.bytesRead - from > lingerBytes) close();
  };
  const watch = setInterval(count, 50).unref();
  const stop = () => {
    clearTimeout(timer);
    clearInterval(watch);
  };
  socket.once('close', stop);
  return stop;
}
