/** Makes the OpenAPI 3.1 document from the schemas that validate requests. */
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import type { RefusalCode } from '../../domain/errors.js';
import { defaultWaitSeconds, idempotencyKeyPattern, maxWaitSeconds } from '../../domain/limits.js';
import type { Route } from '../http/route.js';
import { type Documented, openRoutes } from './open-paths.js';
import { operationId, responseHeaders, responsesOf } from './responses.js';

/** Refusals of every route. */
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

const idempotencyKey = z.string().regex(idempotencyKeyPattern).optional().openapi({
  description:
    'Makes the call safe to repeat: the same key, path and body get the same answer, and nothing is done twice. Stored for at least 24 hours. Use a new key (a UUID, say) for each new call.',
  example: '5f3b8a1e-7c1d-4e0a-9b57-1f0c2f6d8a34',
});
const prefer = z
  .string()
  .optional()
  .openapi({
    description: `How long the answer may wait for a decision: \`wait=N\` (seconds, at most ${maxWaitSeconds}; default ${defaultWaitSeconds}), or \`respond-async\` for an immediate answer. A call without a decision by then is answered with 202 and continues.`,
    example: 'wait=10',
  });

const about = `Orders, payments and stock that stay correct when everything around them fails.

**Keys.** Send \`Authorization: Bearer <API key>\`. Each operation names the scope it requires.

**Repeating a call.** Send an \`Idempotency-Key\` with every POST. If the answer is lost, send the same call again: it acts only once and gets the same answer, with \`Idempotency-Replayed: true\`.

**Errors** are problem documents (RFC 9457) with a stable \`code\`; \`errors\` names each field that is not valid by its JSON pointer. Unknown fields are refused. A method that a path does not serve is 405 \`method_not_allowed\` with \`Allow\`.

**Lists** are paged, newest first: set \`limit\`, and pass the \`nextCursor\` of one page as the \`cursor\` of the next.

**Values.** Money is in minor units (1999 is 19.99 USD). Times are RFC 3339 in UTC.`;

const tags = [
  ['Catalogue', 'Products, locations and suppliers.'],
  ['Stock', 'How much there is, what changed it, and operations that change it.'],
  ['Reservations', 'Holds on stock without an order.'],
  ['Orders', 'From the first line to the payment, with a timeline.'],
  ['Payments', 'Payments without an order; reading also those of orders.'],
  ['Refunds', 'Money returned, for orders and payments.'],
  ['Subscriptions', 'Plans that customers pay for, period by period, and clocks to test them with.'],
  ['Disputes', 'What cardholders have asked their bank to return.'],
  ['Supply', 'Transfers between locations, replenishment from suppliers, purchase orders.'],
  ['Reviews', 'Cases that a person must decide.'],
  ['Keys', 'API keys and their scopes.'],
  ['Fraud', 'The rules that payments are scored by.'],
  ['Audit', 'Who did what, and with which outcome.'],
  ['System', 'Open paths: health, metrics and documentation.'],
] as const;

/** The document, ready to serialize as JSON. */
export function openApiDocument(routes: readonly Route[]): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'hf_<env>_<random>_<checksum>',
    description: 'An API key.',
  });
  for (const [name, header] of Object.entries(responseHeaders)) registry.registerComponent('headers', name, header);
  for (const route of [...routes, ...openRoutes]) registry.registerPath(pathOf(route, routes));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version: '1',
      description: about,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: tags.map(([name, description]) => ({ name, description })),
  });
}

function pathOf(route: Documented, routes: readonly Route[]): RouteConfig {
  const refusals = new Set<RefusalCode>([
    ...(route.scope === null ? [] : commonRefusals),
    ...(route.params ? (['not_found'] as const) : []),
    ...(route.method === 'get' || route.method === 'delete' ? [] : bodyRefusals),
    ...(route.method === 'post' && route.scope !== null ? keyRefusals : []),
    ...(route.refusals ?? []),
  ]);
  const access = route.scope === null ? 'Needs no key.' : `Scope: \`${route.scope}\`.`;
  return {
    method: route.method,
    path: templateOf(route.path),
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    description: `${route.description}\n\n${access}`,
    security: route.scope === null ? [] : [{ apiKey: [] }],
    request: requestOf(route),
    responses: responsesOf(route, refusals, routes),
  };
}

/** `/api/orders/:id` as OpenAPI writes it: `/api/orders/{id}`. */
function templateOf(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

function requestOf(route: Documented): NonNullable<RouteConfig['request']> {
  const { params, query, body, example } = route;
  const headers = {
    ...(route.method === 'post' && route.scope !== null && { 'Idempotency-Key': idempotencyKey }),
    ...(route.waits && { Prefer: prefer }),
  };
  return {
    ...(params instanceof z.ZodObject && { params }),
    ...(query instanceof z.ZodObject && { query }),
    ...(Object.keys(headers).length > 0 && { headers: z.object(headers) }),
    ...(body && {
      body: {
        required: !body.safeParse({}).success,
        content: { 'application/json': { schema: body, example: example.body } },
      },
    }),
  };
}
