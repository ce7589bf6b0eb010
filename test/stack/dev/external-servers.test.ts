import postgres from 'postgres';
import { expect, test, vi } from 'vitest';
import { type Stack, startStack } from '../../setup/stack.js';
import { Shop } from '../../shop.js';
import { buyFromDemoShop } from './demo-shop.js';
import { makeElsewhere } from './elsewhere.js';

// Whole stacks start here, on a machine that runs others beside them.
vi.setConfig({ testTimeout: 180_000 });

async function recordRelease(databaseUrl: string, release: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    await sql`insert into sql_releases (release) values (${release})`;
  } finally {
    await sql.end();
  }
}

test('a stack with an external database and Temporal starts neither, works, and leaves an existing shop as it is', async () => {
  const elsewhere = await makeElsewhere();
  const { databaseUrl, temporalAddress, namespace } = elsewhere;
  const onElsewhere = async (use: (other: Stack) => Promise<void>) => {
    const other = await startStack({
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: namespace,
    });
    try {
      await use(other);
    } finally {
      await other.stop();
    }
  };
  const stockOf = (other: Stack) => new Shop(other).stock('filter-papers-100');
  try {
    let left: unknown;
    await onElsewhere(async (other) => {
      expect(other).toMatchObject({ databaseUrl, temporalAddress, temporalNamespace: namespace, temporalUiUrl: null });
      expect(other.pids).toMatchObject({ postgres: null, temporal: null });
      expect(await buyFromDemoShop(new Shop(other))).toBe('confirmed');
      left = await stockOf(other);
    });
    await recordRelease(databaseUrl, '99.0.0');
    // Another home on the same database, which already has a demo shop and belongs to a newer release now.
    await onElsewhere(async (other) => {
      expect(other.output()).toContain('database: left as it is: it belongs to release 99.0.0, which is newer');
      expect(await stockOf(other)).toEqual(left);
      expect(await buyFromDemoShop(new Shop(other))).toBe('confirmed');
    });
  } finally {
    await elsewhere.remove();
  }
});
