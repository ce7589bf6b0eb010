import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, expect, test } from 'vitest';
import { apiRoutes } from '../app.js';
import { closeDeps, deps, document, operations, type Schema } from './openapi.fixture.js';

afterAll(closeDeps);

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, 'document');

/** The errors of a value, by the schema at this place in the document. */
function faults(place: readonly string[], value: unknown): unknown {
  const pointer = place.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).map(encodeURIComponent);
  const validate = ajv.compile({ $ref: `document#/${pointer.join('/')}` });
  return validate(value) ? null : validate.errors;
}

test('every operation has a description, and examples of its body and answers that fit their schemas', () => {
  for (const { name, method, path, operation } of operations) {
    expect([name, operation.summary.length > 3, operation.description.length > 20]).toEqual([name, true, true]);
    const media = operation.requestBody?.content['application/json'];
    if (media) {
      expect(media.example, name).toBeDefined();
      const place = ['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'];
      expect([name, faults(place, media.example)]).toEqual([name, null]);
    }
    for (const [status, { content }] of Object.entries(operation.responses))
      for (const [type, { schema, example }] of Object.entries(content)) {
        expect(schema, name).toBeDefined();
        if (type === 'application/problem+json') continue;
        expect(example, `${name} ${status}`).toBeDefined();
        const place = ['paths', path, method, 'responses', status, 'content', type, 'schema'];
        expect([name, status, faults(place, example)]).toEqual([name, status, null]);
      }
  }
});

test('every example body passes the schema that validates requests', () => {
  for (const { method, path, body, example } of apiRoutes(deps)) {
    const misfit = body?.safeParse(example.body).error?.issues ?? [];
    expect([method, path, misfit]).toEqual([method, path, []]);
  }
});

test('every parameter has a description, and an example that fits', () => {
  for (const { name, method, path, operation } of operations)
    for (const [index, parameter] of (operation.parameters ?? []).entries()) {
      const { schema, description = schema.description } = parameter;
      expect([name, parameter.name, description]).toEqual([name, parameter.name, expect.stringMatching(/.{5}/)]);
      expect([name, parameter.name, schema.example]).not.toContain(undefined);
      const place = ['paths', path, method, 'parameters', String(index), 'schema'];
      expect([name, parameter.name, faults(place, schema.example)]).toEqual([name, parameter.name, null]);
    }
});

/** The schema of every object member in the document, by its place. */
function members(root: unknown, place = ''): [string, Schema][] {
  if (typeof root !== 'object' || root === null) return [];
  return Object.entries(root).flatMap(([name, value]) => {
    if (name === 'example' || name === 'examples') return [];
    const below = members(value, `${place}/${name}`);
    if (name !== 'properties') return below;
    return [
      ...Object.entries<Schema>(value).map(([own, schema]): [string, Schema] => [`${place}/${own}`, schema]),
      ...below,
    ];
  });
}

/** The description of a schema, of the schema it refers to, or of one of its parts. */
function descriptionOf(schema: Schema): string | undefined {
  const named = /^#\/components\/schemas\/(.+)$/.exec(String(schema.$ref))?.[1];
  const parts = Array.isArray(schema.allOf) ? schema.allOf : [];
  return (
    schema.description ??
    document.components.schemas[named ?? '']?.description ??
    parts.map(descriptionOf).find(Boolean)
  );
}

test('every member of every object is described', () => {
  const all = [...members(document.paths, '/paths'), ...members(document.components, '/components')];
  expect(all.length).toBeGreaterThan(200);
  expect(all.filter(([, schema]) => !descriptionOf(schema)).map(([place]) => place)).toEqual([]);
});

test('an example in a schema fits that schema', () => {
  const misfits: unknown[] = [];
  const walk = (value: unknown, place: readonly string[]): void => {
    if (typeof value !== 'object' || value === null) return;
    const schema: Schema = { ...value };
    const isSchema = 'example' in schema && ('type' in schema || 'anyOf' in schema);
    if (isSchema) {
      const wrong = faults(place, schema.example);
      if (wrong !== null) misfits.push([place.join('/'), wrong]);
    }
    for (const [name, part] of Object.entries(value)) if (name !== 'example') walk(part, [...place, name]);
  };
  walk(document.components, ['components']);
  walk(document.paths, ['paths']);
  expect(misfits).toEqual([]);
});
