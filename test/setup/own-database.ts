/** Runs before each database test file and gives it its own copy of the migrated database. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, inject } from 'vitest';

const name = `test_${randomUUID().replaceAll('-', '')}`;
const template = new URL(inject('templateUrl'));
const server = postgres(Object.assign(new URL(template), { pathname: '/postgres' }).href, {
  max: 1,
  onnotice: () => undefined,
});
await server`create database ${server(name)} template ${server(template.pathname.slice(1))}`;
process.env.HOLDFAST_TEST_DATABASE_URL = Object.assign(new URL(template), { pathname: `/${name}` }).href;

afterAll(async () => {
  await server`drop database ${server(name)} with (force)`;
  await server.end();
});
