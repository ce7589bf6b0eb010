/** The readiness of an API whose database is older or newer than itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../../../db/upgrade/migrate.js';
import { type Scratch, scratchDatabase } from '../../database/scratch.js';
import { eventually } from '../../shop.js';
import { type OwnApi, startOwnApi } from './own-api.js';

let scratch: Scratch;
let api: OwnApi;
beforeAll(async () => {
  scratch = await scratchDatabase();
  api = await startOwnApi({ DATABASE_URL: scratch.url });
});
afterAll(async () => {
  await api?.end('SIGTERM');
  await scratch?.drop();
});

const readyz = async () => {
  const { status, body } = await api.shop.get('/readyz');
  return [status, body.notReady];
};
const ready = () => eventually('the API to be ready', async () => (await readyz())[0] === 200);

test('becomes ready once the database has its migrations and its functions', async () => {
  await eventually('Temporal to answer', async () => !(await readyz())[1].includes('temporal'));
  expect(await readyz()).toEqual([503, ['migrations']]);
  await migrate(scratch.url);
  await ready();
  await scratch.sql`update sql_functions set hash = 'older' where file = '03_stock.sql'`;
  expect(await readyz()).toEqual([503, ['migrations']]);
  await migrate(scratch.url);
  await ready();
});

test('stays ready when a newer release replaces the functions', async () => {
  await scratch.sql`update sql_functions set superseded = array_append(superseded, hash), hash = 'newer'`;
  expect(await readyz()).toEqual([200, []]);
});
