/** The OpenAPI responses of an operation: bodies, headers, and links to further operations. */
import type { ResponseConfig, RouteConfig } from '@asteasolutions/zod-to-openapi';
import type { z } from 'zod';
import { type RefusalCode, refusalStatus } from '../../domain/errors.js';
import type { Route } from '../http/route.js';
import { problem } from '../http/schemas.js';
import { isRetriedLater } from '../middleware/problem.js';
import type { Documented } from './open-paths.js';

type Headers = NonNullable<Exclude<ResponseConfig['headers'], z.ZodObject | undefined>>;
type Links = NonNullable<ResponseConfig['links']>;

/** The headers of answers, as components of the document. */
export const responseHeaders = {
  'X-Request-Id': {
    description: "The request's id, as sent or newly made. It is also in the log.",
    schema: { type: 'string', example: 'req_01a1fca5052e708db2f67afe7cac72b9' },
  },
  'RateLimit-Policy': {
    description: 'How many requests an API key may send (`q`) in a window of `w` seconds.',
    schema: { type: 'string', example: '"default";q=6000;w=60' },
  },
  RateLimit: {
    description: 'How many requests are left (`r`), and in how many seconds the window resets (`t`).',
    schema: { type: 'string', example: '"default";r=5999;t=60' },
  },
  'Retry-After': {
    description: 'In how many seconds to send the call again. A 409 has it only with the code `request_in_progress`.',
    schema: { type: 'integer', minimum: 0, example: 1 },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate, or which scope the key lacks.',
    schema: { type: 'string', example: 'Bearer realm="holdfast"' },
  },
  'Idempotency-Replayed': {
    description: '`true` if this is the stored answer to an earlier call with the same Idempotency-Key.',
    schema: { type: 'string', const: 'true' },
  },
  'Preference-Applied': {
    description: 'Which preference of `Prefer` was applied.',
    schema: { type: 'string', pattern: '^(respond-async|wait=\\d{1,2})$', example: 'wait=10' },
  },
  Location: {
    description: 'Where the resource can be read.',
    schema: { type: 'string', format: 'uri-reference' },
  },
} as const satisfies Record<string, object>;

const statusWords: Readonly<Record<number, string>> = {
  200: 'Done.',
  201: 'Created.',
  202: 'Not decided yet; the call continues. The body is the resource as it stands.',
  503: 'Not ready.',
};

/** `getApiOrdersId` for `GET /api/orders/:id`. */
export function operationId({ method, path }: Pick<Documented, 'method' | 'path'>): string {
  return `${method}${path.replace(/[^A-Za-z]+(\w?)/g, (_, first: string) => first.toUpperCase())}`;
}

/** @param routes all routes that need a key; answers link to those below their resource */
export function responsesOf(
  route: Documented,
  refusals: ReadonlySet<RefusalCode>,
  routes: readonly Route[],
): RouteConfig['responses'] {
  return { ...successes(route, routes), ...problems(route, refusals) };
}

function successes(route: Documented, routes: readonly Route[]): RouteConfig['responses'] {
  const mediaType = route.mediaType ?? 'application/json';
  const { answer, pending } = route.example;
  const depth = route.path.split('/').length;
  const below = route.method === 'post' ? routesBelow(route.path, routes) : [];
  const located = below.some(({ method, path }) => method === 'get' && path.split('/').length === depth + 1);
  const links = linksTo(below);
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, schema]) => {
      const first = status === Object.keys(route.answers)[0];
      const example = first ? answer : (pending ?? answer);
      return [
        status,
        {
          description: statusWords[Number(status)] ?? 'Done.',
          headers: headersOf(route, Number(status), located),
          content: { [mediaType]: { schema, example } },
          ...(Object.keys(links).length > 0 && { links }),
        },
      ];
    }),
  );
}

function problems(route: Documented, codes: ReadonlySet<RefusalCode>): RouteConfig['responses'] {
  const byStatus = new Map<number, RefusalCode[]>();
  for (const code of codes) byStatus.set(refusalStatus[code], [...(byStatus.get(refusalStatus[code]) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      {
        description: `Code: ${list.map((code) => `\`${code}\``).join(', ')}.`,
        headers: headersOf(route, status, false, list.some(isRetriedLater)),
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  );
}

/** Answers that may come before the rate limit of a key is checked. */
const unlimited: ReadonlySet<number> = new Set([401, 403]);
/** Answers that are stored for repeated calls. */
const stored: ReadonlySet<number> = new Set([200, 201, 202, 402, 404, 409, 422]);
/** Answers of calls that waited for a decision. */
const waited: ReadonlySet<number> = new Set([200, 201, 202, 402, 409, 503]);

function headersOf(route: Documented, status: number, located: boolean, isRetried = false): Headers {
  const limited = route.scope !== null && !unlimited.has(status);
  const names: (keyof typeof responseHeaders)[] = [
    'X-Request-Id',
    ...(limited ? (['RateLimit', 'RateLimit-Policy'] as const) : []),
    ...(status === 429 || isRetried ? (['Retry-After'] as const) : []),
    ...(status === 401 || status === 403 ? (['WWW-Authenticate'] as const) : []),
    ...(route.method === 'post' && stored.has(status) ? (['Idempotency-Replayed'] as const) : []),
    ...(route.waits && waited.has(status) ? (['Preference-Applied'] as const) : []),
    ...(located || status === 202 ? (['Location'] as const) : []),
  ];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** The routes of one resource in the collection at `path`: `/api/orders/:id`, `/api/orders/:id/confirm`. */
function routesBelow(path: string, routes: readonly Route[]): Route[] {
  return routes.filter((route) => route.path.startsWith(`${path}/:`));
}

/** Links to routes whose path parameter is a member of the answer. */
function linksTo(below: readonly Route[]): Links {
  return Object.fromEntries(
    below.flatMap((route) => {
      const [, name] = /:(\w+)/.exec(route.path) ?? [];
      if (name === undefined) return [];
      const parameters = { [name]: `$response.body#/${name}` };
      return [[operationId(route), { operationId: operationId(route), parameters, description: `${route.summary}.` }]];
    }),
  );
}
