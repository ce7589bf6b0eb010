/**
 * Reads the body of a request, up to a limit, once its key has been checked. The limit without a key is lower. If the body
 * is not read to its end, the answer is sent at once, and what the client still sends is discarded for a while: closing the
 * connection under it would lose the answer.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import getRawBody from 'raw-body';
import { refusal } from '../../domain/errors.js';
import { stateOf } from '../http/request-state.js';
import { contentCodingRefusal } from './media.js';
import { sendRefusal } from './problem.js';

const KiB = 1024;
export const maxBodyBytes = 256 * KiB;
const maxBodyBytesWithoutKey = 16 * KiB;

/** Reads the body into a buffer, whatever its Content-Type. Refuses a Content-Encoding. */
export const readBody: RequestHandler = (req, res, next) =>
  readUpTo(stateOf(req).key ? maxBodyBytes : maxBodyBytesWithoutKey, req, res, next);

/** The same with a limit of its own, for callers that are known without a key. */
export function readBodyUpTo(limit: number): RequestHandler {
  return (req, res, next) => readUpTo(limit, req, res, next);
}

async function readUpTo(limit: number, req: Request, res: Response, next: NextFunction): Promise<void> {
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
}

/** Requests whose clients wait for `100 Continue` before they send the body. */
const awaitsContinue = new WeakSet<IncomingMessage>();

/**
 * For the server's `checkContinue`: makes the client wait until readBody asks for the body. A client that is answered before
 * that may or may not send its body, so its connection cannot be used again.
 */
export function holdBack(req: IncomingMessage): void {
  awaitsContinue.add(req);
}

/** How long, and how much, a client may keep sending after its answer. */
const lingerMs = 5000;
const lingerBytes = 1024 * KiB;

/** Discards the rest of a body after the answer, so that the connection can be used again or closed cleanly. */
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

/** Closes a connection after `lingerMs` or `lingerBytes`. Returns a function that calls this off. */
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
