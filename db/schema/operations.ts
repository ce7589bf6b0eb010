/** Tables that every part uses: reviews, the outbox, API keys, idempotency keys and applied SQL functions. */
import { sql } from 'drizzle-orm';
import { bigint, check, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { ReviewKind, ReviewResolution, ReviewStatus } from '../../domain/reviews.js';
import type { Scope } from '../../domain/scopes.js';
import type { BatchTopic } from '../outbox/outbox.js';
import { at } from './columns.js';

export const manualReviews = pgTable(
  'manual_reviews',
  {
    id: text().primaryKey(),
    kind: text().$type<ReviewKind>().notNull(),
    /** What it is about: `order/ord_…`, `payment/pay_…`. */
    subject: text().notNull(),
    /** Everything that a person needs to decide. No personal data, no card tokens. */
    detail: jsonb().$type<Readonly<Record<string, unknown>>>().notNull(),
    status: text().$type<ReviewStatus>().notNull().default('open'),
    attempts: integer().notNull(),
    lastError: text('last_error'),
    /** Null while it is open. */
    resolution: jsonb().$type<ReviewResolution>(),
    /** The workflow that waits for the decision; null if none does. */
    workflowId: text('workflow_id'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('manual_reviews_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('manual_reviews_by_status').on(t.status, t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index('manual_reviews_open_about').on(t.subject, t.kind).where(sql`${t.status} = 'open'`),
    index('manual_reviews_open_of_workflow').on(t.workflowId).where(sql`${t.status} = 'open'`),
    check('manual_reviews_status', sql`${t.status} in ('open', 'resolved')`),
  ],
);

/**
 * One row for each piece of work that follows from a committed change, written in that change's transaction. A relay
 * claims rows, starts their workflow, and marks them delivered. If it dies in between, the next relay resumes the rows.
 */
export const outbox = pgTable(
  'outbox',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /**
     * `mail`: to a customer; `notice`: to our own staff; payload `{ template, ... }`. `replenish`: a SKU is low at a
     * location; payload `{ sku, location }`. `processor`: a processor reports a change; payload
     * `{ gateway, providerId, type }`.
     */
    topic: text().$type<BatchTopic | 'replenish'>().notNull(),
    /** Rows of one SKU are delivered in order, by one relay at a time. */
    sku: text(),
    /** Work queued twice is one row. */
    dedupKey: text('dedup_key').notNull(),
    payload: jsonb().notNull(),
    batchId: text('batch_id'),
    /** Failed deliveries, without those during an outage of Temporal. After the last attempt a review is opened. */
    attempts: integer().notNull().default(0),
    lastError: text('last_error'),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    /**
     * Until then a relay has claimed the `replenish` row, or the row waits for a retry. Null: no relay has claimed it
     * yet. Never reset to null, so that a change during a delivery writes a row of its own.
     */
    claimedUntil: at('claimed_until'),
    deliveredAt: at('delivered_at'),
    /** When a review was opened instead. */
    abandonedAt: at('abandoned_at'),
    /** When the mail server accepted it, or the change was adopted. It is not sent again. */
    sentAt: at('sent_at'),
  },
  (t) => [
    uniqueIndex('outbox_once').on(t.topic, t.dedupKey),
    index('outbox_waiting').on(t.id).where(sql`${t.deliveredAt} is null and ${t.abandonedAt} is null`),
    index('outbox_waiting_of_sku')
      .on(t.sku, t.id)
      .where(sql`${t.topic} = 'replenish' and ${t.deliveredAt} is null and ${t.abandonedAt} is null`),
    // A low level that waits to be claimed is one row, however often it changes meanwhile.
    uniqueIndex('outbox_replenish_unseen')
      .on(t.sku, sql`(${t.payload} ->> 'location')`)
      .where(sql`${t.topic} = 'replenish' and ${t.claimedUntil} is null`),
    index('outbox_batch').on(t.batchId),
  ],
);

export const apiKeys = pgTable(
  'api_keys',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    /** SHA-256 of the whole key, hex. Keys have 192 random bits, so no slow hash is needed. */
    hash: text().notNull().unique(),
    scopes: text().array().$type<Scope[]>().notNull(),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
    revokedAt: at('revoked_at'),
    /** `api_key:<id>`, or `operator` for keys made outside the API; null for keys older than this column. */
    createdBy: text('created_by'),
    revokedBy: text('revoked_by'),
  },
  (t) => [index('api_keys_newest').on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())],
);

/** Live API processes. A request whose process is not among them may be taken over. */
export const apiProcesses = pgTable('api_processes', {
  id: text().primaryKey(),
  aliveUntil: at('alive_until').notNull(),
});

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    apiKeyId: text('api_key_id').notNull(),
    key: text().notNull(),
    /** SHA-256 over method, path and body. */
    requestHash: text('request_hash').notNull(),
    /** The ids of the call, fixed before anything else happens: `{ resource, update }`. */
    ids: jsonb().notNull(),
    /** The API process that handles the call; null when none does. */
    heldBy: text('held_by'),
    status: integer(),
    /** `{ headers, body }` of the stored answer. */
    response: jsonb(),
    createdAt: at('created_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [primaryKey({ columns: [t.apiKeyId, t.key] }), index('idempotency_keys_age').on(t.createdAt)],
);

/**
 * The files of db/functions that this database has. They are applied again only if one differs
 * (db/upgrade/functions.ts).
 */
export const sqlFunctions = pgTable('sql_functions', {
  file: text().primaryKey(),
  /** SHA-256 of the applied text, hex; null: the installed release has no such file. */
  hash: text(),
  /** Earlier hashes: processes of those releases stay ready. */
  superseded: text().array().notNull().default(sql`'{}'`),
});

/** Releases whose SQL functions this database has had (db/upgrade/release.ts). */
export const sqlReleases = pgTable('sql_releases', {
  /** As in package.json. */
  release: text().primaryKey(),
  appliedAt: at('applied_at').notNull().default(sql`clock_timestamp()`),
});
