/** The OpenAPI 3.1 document, made from the very schemas that validate. */
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { type RefusalCode, refusalStatus } from '../domain/errors.js';
import type { Route } from './route.js';
import { problem } from './schemas.js';

/** What any route may answer. */
const commonRefusals: readonly RefusalCode[] = [
  'unauthorized',
  'forbidden',
  'not_acceptable',
  'validation_failed',
  'card_data_forbidden',
  'rate_limited',
  'internal',
  'unavailable',
];
const bodyRefusals: readonly RefusalCode[] = ['malformed_json', 'too_large', 'unsupported_media_type'];
const keyRefusals: readonly RefusalCode[] = ['idempotency_key_reused', 'request_in_progress'];

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/)
  .optional()
  .openapi({ description: 'The same key, path and body again get the same answer, and nothing is done twice.' });
const prefer = z
  .string()
  .optional()
  .openapi({ description: '`wait=N` (seconds, at most 30; default 10) or `respond-async`.', example: 'wait=10' });

/** The document as a value that is ready to be written as JSON. */
export function openApiDocument(routes: readonly Route[]): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'hf_<env>_<random>_<checksum>',
  });
  for (const route of [...routes, ...openRoutes]) registry.registerPath(pathOf(route));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version: '1',
      description: 'Orders, payments and stock that stay right when everything around them fails.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
  });
}

type Documented = Omit<Route, 'prepare' | 'scope'> & {
  readonly scope: Route['scope'] | null;
  readonly mediaType?: string;
};

/** The paths that need no key. */
const openRoutes: readonly Documented[] = [
  open('/livez', 'Whether the process lives', { 200: z.object({ status: z.literal('alive') }) }),
  open('/readyz', 'Whether it can serve, and what is not ready', {
    200: z.object({ status: z.literal('ready'), notReady: z.array(z.string()) }),
    503: z.object({ status: z.literal('not_ready'), notReady: z.array(z.string()) }),
  }),
  { ...open('/metrics', 'Figures for Prometheus', { 200: z.string() }), mediaType: 'text/plain' },
  open('/openapi.json', 'This document', { 200: z.looseObject({}) }),
  { ...open('/docs', 'This document, to be read', { 200: z.string() }), mediaType: 'text/html' },
];

function open(path: string, summary: string, answers: Record<number, z.ZodType>): Documented {
  return { method: 'get', path, tag: 'System', summary, scope: null, answers };
}

function pathOf(route: Documented): RouteConfig {
  const refusals = new Set<RefusalCode>([
    ...(route.scope === null ? [] : commonRefusals),
    ...(route.query ? (['validation_failed'] as const) : []),
    ...(route.method === 'get' || route.method === 'delete' ? [] : bodyRefusals),
    ...(route.method === 'post' ? keyRefusals : []),
    ...(route.refusals ?? []),
  ]);
  return {
    method: route.method,
    path: route.path.replace(/:(\w+)/g, '{$1}'),
    operationId: `${route.method}${route.path.replace(/[^A-Za-z]+(\w?)/g, (_, first: string) => first.toUpperCase())}`,
    tags: [route.tag],
    summary: route.summary,
    description: route.scope === null ? 'Open to all.' : `Scope: \`${route.scope}\`.`,
    security: route.scope === null ? [] : [{ apiKey: [] }],
    request: requestOf(route),
    responses: { ...successes(route), ...problems(refusals) },
  };
}

function requestOf(route: Documented): NonNullable<RouteConfig['request']> {
  const { params, query, body } = route;
  const headers = {
    ...(route.method === 'post' && { 'Idempotency-Key': idempotencyKey }),
    ...(route.waits && { Prefer: prefer }),
  };
  return {
    ...(params instanceof z.ZodObject && { params }),
    ...(query instanceof z.ZodObject && { query }),
    ...(Object.keys(headers).length > 0 && { headers: z.object(headers) }),
    ...(body && {
      body: { required: !body.safeParse({}).success, content: { 'application/json': { schema: body } } },
    }),
  };
}

function successes(route: Documented): RouteConfig['responses'] {
  const mediaType = route.mediaType ?? 'application/json';
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, schema]) => [
      status,
      { description: statusWords[Number(status)] ?? 'Done', content: { [mediaType]: { schema } } },
    ]),
  );
}

const statusWords: Readonly<Record<number, string>> = {
  200: 'Done',
  201: 'Created',
  202: 'Not decided yet; it goes on. The resource as it stands.',
  503: 'Not ready',
};

function problems(codes: ReadonlySet<RefusalCode>): RouteConfig['responses'] {
  const byStatus = new Map<number, RefusalCode[]>();
  for (const code of codes) byStatus.set(refusalStatus[code], [...(byStatus.get(refusalStatus[code]) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      {
        description: `Code: ${list.map((code) => `\`${code}\``).join(', ')}`,
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  );
}
