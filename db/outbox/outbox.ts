/** Work that follows from committed changes: claiming it, delivering it, and recording failures. */
import type { Sql } from '../postgres/client.js';

/** The channel on which a commit that wrote to the outbox wakes the relays. */
export const outboxChannel = 'outbox';
/** The notification for a low level; any other one is for a topic that is delivered in batches. */
export const replenishWakeUp = 'replenish';

/** Topics that are delivered in batches. A batch has one topic. */
export const batchTopics = ['mail', 'notice', 'processor'] as const;
export type BatchTopic = (typeof batchTopics)[number];

/** Rows that one workflow delivers. */
export interface OutboxBatch {
  readonly batchId: string;
  readonly topic: BatchTopic;
  readonly rowIds: readonly number[];
}

export interface ClaimLimits {
  /** Rows or SKUs that one call claims at most. */
  readonly limit: number;
  /** After this time a claim is free for other relays. */
  readonly leaseSeconds: number;
}

/** Lost batches that one call returns at most. */
const maxLostBatches = 20;

/**
 * Assigns at most `limit` waiting rows of a topic to a new batch. Returns that batch, and older batches that were not
 * delivered within `leaseSeconds`, since their relay may have died. The assignment is committed before any workflow starts,
 * and a batch is always returned whole, so a batch that is started twice is the same batch. Rows that another relay is
 * assigning are skipped.
 */
export async function claimBatches(
  sqlClient: Sql,
  topic: BatchTopic,
  batchId: string,
  { limit, leaseSeconds }: ClaimLimits,
): Promise<readonly OutboxBatch[]> {
  return sqlClient<OutboxBatch[]>`
    -- Materialized, so that it runs once: a second run would skip the rows locked by the first, and exceed the limit.
    with picked as materialized (
      select id from outbox
       where delivered_at is null and abandoned_at is null and batch_id is null and topic = ${topic}
       order by id limit ${limit} for update skip locked),
    mine as (
      update outbox set batch_id = ${batchId} from picked where outbox.id = picked.id
      returning outbox.id, batch_id),
    lost as (
      select id, batch_id from outbox where batch_id in (
        select batch_id from outbox
         where delivered_at is null and abandoned_at is null and batch_id is not null and topic = ${topic}
           and created_at < now() - make_interval(secs => ${leaseSeconds}) and coalesce(claimed_until <= now(), true)
         group by batch_id order by min(id) limit ${maxLostBatches}))
    select batch_id as "batchId", ${topic} as topic, array_agg(id::float8 order by id) as "rowIds"
      from (select * from mine union select * from lost) batches group by batch_id`;
}

/** A low level, claimed by one relay for a limited time. */
export interface ReplenishRow {
  readonly id: number;
  /** Null: the row names none and can never be delivered. */
  readonly sku: string | null;
  readonly location: string | null;
}

/**
 * Claims the oldest waiting row of each SKU, unless a relay has claimed it or it is waiting for a retry. So any
 * number of relays deliver the rows of a SKU one at a time and in order. A claim is a time in the row and holds no
 * lock. The claim of a dead relay expires after `leaseSeconds`.
 */
export async function claimSkus(
  sqlClient: Sql,
  { limit, leaseSeconds }: ClaimLimits,
): Promise<readonly ReplenishRow[]> {
  return sqlClient<ReplenishRow[]>`
    -- Materialized as in claimBatches. Postgres checks the conditions on the row again if another relay has changed it
    -- meanwhile.
    with picked as materialized (
      select id from outbox
       where id in (select distinct on (sku) id from outbox
                     where topic = 'replenish' and delivered_at is null and abandoned_at is null order by sku, id)
         and delivered_at is null and abandoned_at is null
         and (claimed_until is null or claimed_until <= now())
       order by id limit ${limit} for update skip locked)
    update outbox set claimed_until = clock_timestamp() + make_interval(secs => ${leaseSeconds})
      from picked where outbox.id = picked.id
    returning outbox.id::float8 as id, payload->>'sku' as sku, payload->>'location' as location`;
}

/** Marks rows whose workflow exists: from now on it is responsible for them. */
export async function markDelivered(sqlClient: Sql, rowIds: readonly number[]): Promise<void> {
  await sqlClient`
    update outbox set delivered_at = clock_timestamp() where id = any(${rowIds as number[]}) and delivered_at is null`;
}

/** Postpones rows because Temporal is unavailable. This does not count as a failed attempt. */
export async function postponeDelivery(
  sqlClient: Sql,
  rowIds: readonly number[],
  lastError: string,
  waitSeconds: number,
): Promise<void> {
  await sqlClient`
    update outbox set last_error = ${lastError}, claimed_until = clock_timestamp() + make_interval(secs => ${waitSeconds})
     where id = any(${rowIds as number[]}) and delivered_at is null`;
}

/** A delivery that failed although Temporal was available. */
export interface FailedDelivery {
  readonly rowIds: readonly number[];
  readonly lastError: string;
  /** Failures after which a review is opened. */
  readonly maxAttempts: number;
  /** The wait before the second attempt. Each later wait is twice as long, up to a minute. */
  readonly firstWaitSeconds: number;
  /** `rev_…`: the review to open after the last attempt. */
  readonly reviewId: string;
}

/**
 * Counts the failure. After the last attempt it opens a review and abandons the rows, in the same transaction, so
 * that they no longer block the rows behind them. Returns the seconds until the next attempt; null if there is none.
 */
export async function failDelivery(sqlClient: Sql, failed: FailedDelivery): Promise<number | null> {
  const { rowIds, lastError, maxAttempts, firstWaitSeconds, reviewId } = failed;
  const [row] = await sqlClient<{ waitSeconds: number | null }[]>`
    with counted as (
      update outbox set attempts = attempts + 1, last_error = ${lastError},
             claimed_until = clock_timestamp() + make_interval(secs => least(60, ${firstWaitSeconds} * 2 ^ attempts)),
             abandoned_at = case when attempts + 1 >= ${maxAttempts} then clock_timestamp() end
       where id = any(${rowIds as number[]}) and delivered_at is null and abandoned_at is null
      returning id, topic, payload, attempts, claimed_until, abandoned_at),
    reviewed as (
      insert into manual_reviews (id, kind, subject, detail, attempts, last_error)
      select ${reviewId}, 'outbox_undeliverable', 'outbox/' || min(id),
             jsonb_build_object('topic', min(topic), 'outboxIds', jsonb_agg(id order by id), 'payloads', jsonb_agg(payload order by id)),
             max(attempts), ${lastError}
        from counted where abandoned_at is not null having count(*) > 0)
    select extract(epoch from max(claimed_until) - clock_timestamp())::float8 as "waitSeconds"
      from counted where abandoned_at is null`;
  return row?.waitSeconds ?? null;
}
