import { expect, test } from 'vitest';
import { z } from 'zod';
import { answer, refuse } from './reply.js';
import { route } from './route.js';

const thing = z.object({ id: z.string(), status: z.enum(['open', 'closed']), tags: z.array(z.string()) });
const open = { id: 'a', status: 'open', tags: ['new'] } as const;
const described = {
  method: 'get',
  path: '/api/things',
  tag: 'Things',
  summary: 'Read a thing',
  description: 'Answers a thing.',
  scope: 'admin',
} as const;
const answers = { 200: thing, 202: z.object({ id: z.string() }) };
const example = { answer: open };

// The compiler does the checking here: each line below an expected error must not compile.
test('a route answers what its schemas describe, or refuses; anything else does not compile', () => {
  const routes = [
    route({ ...described, answers, example, handler: async () => answer(200, open) }),
    route({ ...described, answers, example, handler: async () => answer(202, { id: 'a' }) }),
    route({ ...described, answers, example, handler: async () => refuse('not_found', 'no such resource') }),
    // @ts-expect-error a status that the route does not declare
    route({ ...described, answers, example, handler: async () => answer(201, open) }),
    // @ts-expect-error a member that is missing
    route({ ...described, answers, example, handler: async () => answer(200, { id: 'a', status: 'open' as const }) }),
    // @ts-expect-error a value that the schema does not know
    route({ ...described, answers, example, handler: async () => answer(200, { ...open, status: 'lost' as const }) }),
    // @ts-expect-error the body of another status
    route({ ...described, answers, example, handler: async () => answer(200, { id: 'a' }) }),
    // @ts-expect-error an example that does not fit
    route({ ...described, answers, example: { answer: { id: 7 } }, handler: async () => answer(200, open) }),
  ];
  expect(routes.every((each) => each.prepare({ params: {}, query: {}, body: {} }).kind === 'ready')).toBe(true);
});
