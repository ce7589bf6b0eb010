/** The paths that need no key, as the OpenAPI document describes them. */
import { z } from 'zod';
import type { Route } from '../http/route.js';

/** The documented part of a route. A route without a scope needs no key. */
export type Documented = Omit<Route, 'prepare' | 'scope'> & {
  readonly scope: Route['scope'] | null;
  readonly mediaType?: string;
};

const notReady = z.array(z.string()).openapi({
  description: 'What is unavailable or out of date: `postgres`, `migrations`, `temporal`.',
  example: [],
});
const readiness = <Status extends string>(status: Status) =>
  z.object({ status: z.literal(status).openapi({ description: 'Whether the API can serve.' }), notReady });

export const openRoutes: readonly Documented[] = [
  open('/livez', 'Is the process alive?', 'For liveness probes: depends on no other server.', {
    answers: { 200: z.object({ status: z.literal('alive').openapi({ description: 'Always `alive`.' }) }) },
    example: { answer: { status: 'alive' } },
  }),
  open(
    '/readyz',
    'Can the API serve?',
    'For readiness probes: checks Postgres and Temporal, and names what is missing.',
    {
      answers: { 200: readiness('ready'), 503: readiness('not_ready') },
      example: { answer: { status: 'ready', notReady: [] }, pending: { status: 'not_ready', notReady: ['temporal'] } },
    },
  ),
  open('/metrics', 'Metrics for Prometheus', 'Requests by route and status, the event loop, memory.', {
    answers: { 200: z.string() },
    example: { answer: 'http_request_duration_seconds_count{method="GET",route="/api/products",status="200"} 3\n' },
    mediaType: 'text/plain',
  }),
  open('/openapi.json', 'This document', 'OpenAPI 3.1, for client generators and tests.', {
    answers: { 200: z.looseObject({}) },
    example: { answer: { openapi: '3.1.0', info: { title: 'Holdfast', version: '1' }, paths: {} } },
  }),
  open('/docs', 'This document as a page', 'Shows every operation and can call it.', {
    answers: { 200: z.string() },
    example: { answer: '<!doctype html>…' },
    mediaType: 'text/html',
  }),
  {
    method: 'post',
    path: '/webhooks/stripe',
    tag: 'Payments',
    summary: 'Receive an event of Stripe',
    description:
      'For the webhook endpoint in the pages of Stripe. The signature of `Stripe-Signature` must be valid and at most 300 s old or ahead; then the event is kept once, by its id. What it says about a payment is not used: the payment is read from Stripe.',
    scope: null,
    body: z.looseObject({}),
    refusals: ['rate_limited', 'unavailable'],
    answers: {
      200: z.object({
        received: z.literal(true).openapi({ description: 'Always true: the event is kept, or was before.' }),
      }),
    },
    example: {
      body: { id: 'evt_1', object: 'event', type: 'payment_intent.succeeded', data: { object: { id: 'pi_1' } } },
      answer: { received: true },
    },
  },
];

function open(
  path: string,
  summary: string,
  description: string,
  more: Pick<Documented, 'answers' | 'example' | 'mediaType'>,
): Documented {
  return { method: 'get', path, tag: 'System', summary, description, scope: null, ...more };
}
