/** A released migration has been applied somewhere, so an edit would never take effect there. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isOutside, readMigrations } from './migrations.js';

/** SHA-256 of every migration. A new migration adds a line; existing lines never change. */
const released: Readonly<Record<string, string>> = {
  '0000_tables': 'bc4c5bf28f2e6582d2c0611a7f6e949197674ec550e4ff789e8d06501559cd27',
  '0001_rules': '0bfbaa0b4c0921fd34f67441a13ecf3b165db6ce7f759e844d8a9353551c171b',
  '0002_stock': '36f35d0c913a6d38e9c4f79b97feba00a09cdfe712e041a26a99ee9b42403ae8',
  '0003_levels': 'bb162bf8880b4603635fd4e8f86e9b4af65a87f1cac01c0237b660e547a74861',
  '0004_payments': '8d6fe6f29bef8e6b981000a4a2ef0498e2efa951d3ac67aff463f9e492773173',
  '0005_orders': '602a7575d1702a0c102ab6eb7b7552c1f7f2d6fe6b7d6f3632df05fa06572e4c',
  '0006_transfers': 'dff97327455b74c9f3ea64f54b69666d425a4cb4457b2620c23b133ca9651705',
  '0007_purchase_orders': 'd48706c78d918dec00360ee0734a2d9b418083897014b5d1f9cdbef7a351a5cb',
  '0008_steps_by_key': '936305234a4c20d7d2b9bdc253be4a2b3319a680adbbcd25151637dab4735074',
  '0009_open_holds': '8c49a5bdf383e692b53cef21f078bed4874f72347dcf0a9f5060598379a772c8',
  '0010_created_when_asked': '75036c7df15b7a134d8f87e7594d645bb35ec00b6cf385ebd86846e3e6b53467',
  '0011_key_actors': '31b2d1d218d0792897ba97631215866bb61d0a8d173020d8d63060a09fc8b831',
  '0012_present_transfers': '1f61d59d1e3d669dabb7177b65cef68d022b718e023ce9f68d16467b2191e727',
  '0013_functions_and_facts': '59e9fb3e491848b8cd9b660c58180365cc2b398c097bb257b2133e001dc08d2f',
  '0014_growth': '796b67d55fd833c4839ab397b52ad208d5f6d4814053b926c65699756381a2a5',
  '0015_open_hold_counts': 'c7b15f58afb5af28044c36b480385fc2c1fe0a4d7a7d56efe687ad951a1b1781',
  '0016_releases': '7c2b1f34204f6c157d95ea8f5758641d5cf67f0ae6427f0678b17c01646517ec',
  '0017_holds_without_expiry': 'f093c8b79e1815c0536583eaa5576ed3867f9918ff9395c46e7987e561afd312',
  '0018_holds_due_of_level': 'ced286021352afca700c1e691e8706be3727bb87a6fdcd8810c865623c1cb8fc',
  '0019_money': 'd1e8f1a6fe1fe4ed710890d986a82856730bd451a5465fb454440eecafb17f18',
  '0020_money_indexes': '5a2f600c75d380b0e7e66573f8b33f9c053e7df1df0ea290f265dc98a061a374',
  '0021_disputes': '4e5c1d6fd34a0e20f2cd57f160eed2bba7d72e9cbecbdb9e9d8ebba3c3a8913a',
  '0022_subscriptions_and_controls': '105b4136860144de184db05e3ef201367d85c60933702dfd8e8e98e17295d465',
};
/** The last migration that was allowed to define functions; they are in db/functions now. */
const lastWithFunctions = '0012_present_transfers';
/** The last one that was allowed to build indexes under a lock. */
const lastWithLocks = '0014_growth';

const read = (name: string) => readFileSync(new URL(`../migrations/${name}`, import.meta.url), 'utf8');
const names = readdirSync(new URL('../migrations', import.meta.url))
  .filter((name) => name.endsWith('.sql'))
  .map((name) => name.replace('.sql', ''));
const hashOf = (name: string) =>
  createHash('sha256')
    .update(read(`${name}.sql`))
    .digest('hex');

test('no released migration is edited, and a new one adds its hash here', () => {
  expect(Object.fromEntries(names.map((name) => [name, hashOf(name)]))).toEqual(released);
});

test('the journal lists every migration in the order of their numbers', () => {
  const journal: { entries: { tag: string; when: number }[] } = JSON.parse(read('meta/_journal.json'));
  expect(journal.entries.map(({ tag }) => tag)).toEqual(names.toSorted());
  const times = journal.entries.map(({ when }) => when);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test.each(names.filter((name) => name > lastWithFunctions))(
  '%s defines no function: db/functions has those',
  (name) => {
    expect(read(`${name}.sql`)).not.toMatch(/create\s+(or\s+replace\s+)?(function|procedure)|pg_get_functiondef/i);
  },
);

/** The existing tables on which it builds an index, or a constraint that Postgres keeps by an index. */
function indexedUnderLock(text: string): readonly string[] {
  const tables = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, table = '']) => table);
  const made = tables(/create\s+table\s+(?:if\s+not\s+exists\s+)?"?(\w+)"?/gi);
  const indexed = tables(/create\s+(?:unique\s+)?index\s[^;]*?\son\s+(?:only\s+)?"?(\w+)"?/gi);
  const constrained = tables(
    /alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?"?(\w+)"?[^;]*?\b(?:unique(?!\s+using\s+index)|primary\s+key(?!\s+using\s+index)|exclude)\b/gi,
  );
  return [...indexed, ...constrained].filter((table) => !made.includes(table));
}

test.each([
  ['CREATE INDEX "i" ON "orders" ("id");'],
  ['create unique index i on orders (id);'],
  ['CREATE INDEX "i"\n  ON "orders"\n  USING btree ("id");'],
  ['ALTER TABLE "orders" ADD CONSTRAINT "u" UNIQUE("id");'],
  ['ALTER TABLE "orders"\n  ADD COLUMN "a" int,\n  ADD UNIQUE ("a");'],
  ['alter table only orders add primary key (id);'],
  ['alter table orders add constraint e exclude using gist (id with =);'],
  ['ALTER TABLE "orders" ADD COLUMN "a" int UNIQUE;'],
])('the rule about indexes knows %j', (statement) => {
  expect(indexedUnderLock(statement)).toEqual(['orders']);
  expect(indexedUnderLock(`CREATE TABLE "orders" ("id" text);\n${statement}`)).toEqual([]);
});

test('an index that was built before may become a constraint', () => {
  expect(indexedUnderLock('ALTER TABLE "orders" ADD CONSTRAINT "u" UNIQUE USING INDEX "i";')).toEqual([]);
});

describe('from 0015 on', () => {
  const migrations = readMigrations();
  const ruled = names.toSorted().flatMap((name, index) => {
    const migration = migrations[index];
    return name > lastWithLocks && migration ? [[name, migration] as const] : [];
  });

  test.each(ruled.filter(([, migration]) => !isOutside(migration)))(
    '%s builds no index on a table that others write to',
    (name) => {
      const text = read(`${name}.sql`);
      expect(indexedUnderLock(text)).toEqual([]);
      expect(text).not.toMatch(/\bconcurrently\b|drop index/i);
    },
  );

  test.each(ruled.filter(([, migration]) => isOutside(migration)))(
    '%s, outside a transaction, has only statements that may be repeated',
    (_name, { statements }) => {
      for (const statement of statements)
        expect(statement.replace(/^--.*\n/gm, '').trim()).toMatch(
          /^(create (unique )?index concurrently if not exists "\w+"|drop index concurrently if exists "\w+")[^;]*;$/i,
        );
    },
  );
});
