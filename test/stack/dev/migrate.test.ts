import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newApiKey, readApiKey } from '../../../db/access/api-keys.js';
import { projectRoot } from '../../../dev/home/paths.js';
import { searchAttributes } from '../../../workflows/shared/contract.js';
import { cleanEnvironment } from '../../setup/stack.js';
import { type Elsewhere, makeElsewhere } from './elsewhere.js';

let elsewhere: Elsewhere;
beforeAll(async () => {
  elsewhere = await makeElsewhere();
});
afterAll(() => elsewhere?.remove());

/** Runs a deployment's migrate step as its container does. */
function migrate(env: Record<string, string> = {}): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(projectRoot, 'dev/run.mjs'), 'dev/postgres/migrate-main.js'], {
    env: cleanEnvironment({
      DATABASE_URL: elsewhere.databaseUrl,
      TEMPORAL_ADDRESS: elsewhere.temporalAddress,
      TEMPORAL_NAMESPACE: elsewhere.namespace,
      ...env,
    }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  return new Promise((done) => child.once('close', (code) => done({ code, output })));
}

const keysOf = async () => {
  const sql = postgres(elsewhere.databaseUrl, { max: 1 });
  try {
    return (await sql<{ hash: string }[]>`select hash from api_keys`).map(({ hash }) => hash);
  } finally {
    await sql.end();
  }
};

describe("a deployment's migrate step", () => {
  test('refuses a malformed bootstrap key before it does anything', async () => {
    const { code, output } = await migrate({ HOLDFAST_BOOTSTRAP_API_KEY: 'hf_prod_mistyped_00000000' });
    expect(code).toBe(2);
    expect(output).toContain('HOLDFAST_BOOTSTRAP_API_KEY is not an API key');
    expect(output).not.toContain('mistyped');
  });

  test('brings an empty database up to date and shows the first API key once', async () => {
    const first = await migrate();
    expect(first.code).toBe(0);
    const [, key = ''] = /shown only once: (hf_prod_\S+)/.exec(first.output) ?? [];
    expect(await keysOf()).toEqual([readApiKey(key)?.hash]);

    const second = await migrate();
    expect(second.code).toBe(0);
    expect(second.output).not.toContain('hf_prod_');
    expect(await keysOf()).toHaveLength(1);
  });

  test('makes the bootstrap key work', async () => {
    const { key, hash } = newApiKey('prod');
    expect((await migrate({ HOLDFAST_BOOTSTRAP_API_KEY: key })).code).toBe(0);
    expect(await keysOf()).toContain(hash);
  });

  test('creates the role of API and workers with its rights, and says so if there is only one role', async () => {
    const name = `app_${randomUUID().slice(0, 8)}`;
    const running = Object.assign(new URL(elsewhere.databaseUrl), { username: name, password: "it's secret" }).href;
    const sql = postgres(running, { max: 1 });
    const owner = postgres(elsewhere.databaseUrl, { max: 1 });
    try {
      for (let times = 0; times < 2; times++) {
        const split = await migrate({ DATABASE_URL: running, MIGRATE_DATABASE_URL: elsewhere.databaseUrl });
        expect(split.code).toBe(0);
        expect(split.output).not.toContain('secret');
      }
      expect(await sql`select current_user as role, stock_apply('[]') as results`).toEqual([
        { role: name, results: [] },
      ]);
      await expect(sql`delete from stock_levels`).rejects.toMatchObject({ code: '42501' });
      expect((await migrate()).output).toContain('as the owner');
    } finally {
      await sql.end();
      await owner.unsafe(`drop owned by ${name}`);
      await owner.unsafe(`drop role ${name}`);
      await owner.end();
    }
  });

  test('registers the search attributes with a Temporal server that lacks them', async () => {
    const { temporal, namespace } = elsewhere;
    const { customAttributes } = await temporal.operatorService.listSearchAttributes({ namespace });
    expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(Object.keys(searchAttributes)));
  });
});
