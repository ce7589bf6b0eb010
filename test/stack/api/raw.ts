/** Requests that a well-behaved client would not send. */
import { inject } from 'vitest';
import type { Answer } from '../../shop.js';

export interface RawRequest {
  readonly method?: string;
  /** Null sends none. */
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** Sends exactly this request. `text` is the answer's body, unchanged. */
export async function raw(path: string, request: RawRequest = {}): Promise<Answer & { text: string }> {
  const { key = inject('apiKey') } = request;
  const response = await fetch(`${inject('apiUrls')[0]}${path}`, {
    method: request.method ?? 'GET',
    headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...request.headers },
    ...(request.body !== undefined && { body: request.body }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : null,
    text,
  };
}

export const post = (path: string, body: unknown, request: RawRequest = {}) =>
  raw(path, {
    ...request,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...request.headers },
    body: JSON.stringify(body),
  });
