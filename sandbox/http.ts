/** Shared by all HTTP routes of the sandbox: request bodies and error answers. */
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import express from 'express';
import type { z } from 'zod';
import { NotWritten } from './journal.js';
import { report } from './report.js';

const maxBodyBytes = 64 * 1024;

/** Parses every body as JSON, whatever its content type. The schemas reject anything but an object. */
export const jsonBody: RequestHandler = express.json({ limit: maxBodyBytes, type: () => true });

/** An invalid request; answered with `{ error: { code, detail } }`. Never contains a token. */
export class BadRequest extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** The value in the shape of the schema. Throws a 422 that names each wrong field but quotes no value. */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw new BadRequest(422, 'validation_failed', problems.join('; '));
}

export function sendError(res: Response, status: number, code: string, detail: string): void {
  res.status(status).json({ error: { code, detail } });
}

export const notFound: RequestHandler = (req, res) => {
  sendError(res, 404, 'not_found', `there is no ${req.method} ${req.path} here`);
};

/**
 * The last handler: refusals with their status, 503 if the books cannot be written, and 500 with a report for the rest.
 */
export const onError: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) return next(error);
  if (error instanceof BadRequest) return sendError(res, error.status, error.code, error.message);
  if (error instanceof NotWritten) {
    res.setHeader('Retry-After', '1');
    return sendError(res, 503, 'not_written', 'the books cannot be written now: repeat the call with the same key');
  }
  const type = bodyParserErrorType(error);
  if (type === 'entity.too.large') return sendError(res, 413, 'too_large', `a body has at most ${maxBodyBytes} bytes`);
  if (type !== null) return sendError(res, 400, 'malformed_json', 'the body is not JSON');
  report(error instanceof Error ? (error.stack ?? error.message) : String(error));
  sendError(res, 500, 'internal', 'the sandbox failed');
};

/** body-parser marks its errors with a type such as `entity.parse.failed`. */
function bodyParserErrorType(error: unknown): string | null {
  return error instanceof Error && 'type' in error && typeof error.type === 'string' ? error.type : null;
}
