/**
 * Database roles and their rights. The migrating role owns everything. The running role, of API and workers, owns
 * nothing: it writes the tables listed here, and changes stock, orders, payments and transfers only through functions
 * (docs/adr/0013-two-roles.md).
 */
import type postgres from 'postgres';

/** A connection, or a transaction on one. */
type Sql = postgres.ISql;

/** The functions that the running role calls with the owner's rights, with their argument types. */
export const definerFunctions = [
  'stock_apply(jsonb)',
  'stock_apply_announced(jsonb)',
  'order_apply(jsonb)',
  'order_edit(text, jsonb, jsonb)',
  'transfer_apply(jsonb)',
  'refund_apply(jsonb)',
  'purchase_order_deliver(text, text)',
  'payment_record(jsonb, jsonb)',
  'payment_abandon(jsonb, text)',
  'provider_remember(text, text, text, text)',
  'payments_adopt(jsonb)',
  'subscription_apply(jsonb)',
  'audit(text, text, text, text, text, jsonb)',
  'secret_of(text, text)',
  'fraud_rules_replace(jsonb, text, text)',
  'fraud_attempt(jsonb)',
  'reconciliation_begin(jsonb)',
  'customer_limit_take(jsonb)',
  'old_records_delete(integer)',
] as const;

/**
 * What the running role may write directly, by table. It may read every table. `migrate` revokes every right that is not
 * listed, while processes of the release before still run: drop a right, or a definer function, a release after its last use.
 */
export const directWrites: Readonly<Record<string, readonly ('insert' | 'update' | 'delete')[]>> = {
  api_keys: ['insert', 'update'],
  api_processes: ['insert', 'update', 'delete'],
  discrepancies: ['insert', 'update'],
  idempotency_keys: ['insert', 'update', 'delete'],
  ledger_verifications: ['insert', 'update'],
  locations: ['insert', 'update'],
  low_levels: ['insert', 'update', 'delete'],
  manual_reviews: ['insert', 'update'],
  outbox: ['insert', 'update'],
  processor_events: ['insert'],
  processor_marks: ['insert', 'update'],
  products: ['insert', 'update'],
  purchase_orders: ['insert', 'update'],
  reconciliation_entries: ['insert', 'update', 'delete'],
  reconciliations: ['update'],
  replenishment_requests: ['insert'],
  replenishments: ['insert', 'update'],
  suppliers: ['insert', 'update'],
  test_clocks: ['insert', 'update'],
};

/** The role of a connection string, with its password. */
export interface RunningRole {
  readonly name: string;
  readonly password: string;
}

/**
 * The role in `runningUrl`; null if it is the owner.
 * @param ownerUrl of the migrating role
 */
export function runningRoleOf(runningUrl: string, ownerUrl: string): RunningRole | null {
  const { username, password } = new URL(runningUrl);
  if (username === new URL(ownerUrl).username) return null;
  return { name: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/**
 * Makes the definer functions run with the owner's rights, on objects of this schema only, and revokes them from the
 * public. `create or replace function` resets this, so it must follow in the same transaction.
 */
export async function secureDefiners(sql: Sql, functions: readonly string[] = definerFunctions): Promise<void> {
  const schema = await ownSchema(sql);
  // The temporary schema comes last: otherwise a caller's temporary table would stand in for one of ours.
  const statements = functions.flatMap((name) => [
    `alter function ${schema}.${name} security definer set search_path = ${schema}, pg_temp`,
    `revoke all on function ${schema}.${name} from public`,
  ]);
  await sql.unsafe(statements.join(';\n'));
}

/**
 * Grants a role exactly the rights of the running role, and creates it if it does not exist. Throws if the owner may not
 * create it; the message says what an administrator has to do.
 */
export async function grantRunning(sql: Sql, role: RunningRole): Promise<void> {
  const schema = await ownSchema(sql);
  const name = await ensureRole(sql, role);
  const grants = Object.entries(directWrites).map(
    ([table, rights]) => `grant ${rights.join(', ')} on ${schema}.${table} to ${name}`,
  );
  const functions = definerFunctions.map((definer) => `grant execute on function ${schema}.${definer} to ${name}`);
  const statements = [
    `revoke all on all tables in schema ${schema} from ${name}`,
    `revoke all on schema ${schema} from ${name}`,
    `grant usage on schema ${schema}, drizzle to ${name}`,
    `grant select on all tables in schema ${schema}, drizzle to ${name}`,
    ...grants,
    ...functions,
  ];
  await sql.unsafe(statements.join(';\n'));
}

async function ensureRole(sql: Sql, { name, password }: RunningRole): Promise<string> {
  const [found] = await sql<
    { quoted: string; exists: boolean; mayCreate: boolean; superuser: boolean; login: string }[]
  >`select quote_ident(${name}) as quoted, exists(select from pg_roles where rolname = ${name}) as exists,
           rolsuper or rolcreaterole as "mayCreate", rolsuper as superuser,
           format('role %I login password %L', ${name}::text, ${password}::text) as login
      from pg_roles where rolname = current_user`;
  if (!found) throw new Error('Postgres did not answer');
  // Error messages may quote client data. API and workers log their own errors, without values.
  const quiet = () => sql.unsafe(`alter role ${found.quoted} set log_min_messages = 'log'`);
  if (found.exists) {
    // Applies a password that was changed in DATABASE_URL.
    if (found.superuser) {
      await sql.unsafe(`alter ${found.login}`);
      await quiet();
    }
    return found.quoted;
  }
  if (!found.mayCreate)
    throw new Error(
      `the role of DATABASE_URL does not exist, and that of MIGRATE_DATABASE_URL may not create it; as an administrator: create role ${found.quoted} login password '…'`,
    );
  await sql.unsafe(`create ${found.login}`);
  if (found.superuser) await quiet();
  return found.quoted;
}

async function ownSchema(sql: Sql): Promise<string> {
  const [row] = await sql<{ schema: string }[]>`select quote_ident(current_schema()) as schema`;
  if (!row) throw new Error('the search path of the role that migrates names no schema');
  return row.schema;
}

/** Why the role of this connection has more rights than the running role needs; null if it has not. */
export async function tooStrong(sql: Sql): Promise<string | null> {
  const [role] = await sql<{ name: string; superuser: boolean; owner: boolean }[]>`
    select current_user as name, rolsuper as superuser,
           exists(select from pg_class c where c.relname = 'stock_ledger' and pg_has_role(c.relowner, 'usage')) as owner
      from pg_roles where rolname = current_user`;
  if (!role?.superuser && !role?.owner) return null;
  return `the database role ${role.name} ${role.superuser ? 'is a superuser' : 'owns the tables'}: give DATABASE_URL a role of its own and MIGRATE_DATABASE_URL the owner's`;
}
