/** What must follow a committed change, and how far it has got. */
import type { Sql } from '../postgres/client.js';

/** The channel on which a commit that wrote to the outbox wakes the relays. */
export const outboxChannel = 'outbox';
/** What the channel says where a level is low; anything else is a mail or a notice. */
export const replenishWakeUp = 'replenish';

/** What goes out in batches, each batch of one topic. */
export const batchTopics = ['mail', 'notice'] as const;
export type BatchTopic = (typeof batchTopics)[number];

/** A gathering of waiting rows that becomes one workflow. */
export interface OutboxBatch {
  readonly batchId: string;
  readonly topic: BatchTopic;
  readonly rowIds: readonly number[];
}

export interface ClaimLimits {
  /** Rows or SKUs that are claimed at most. */
  readonly limit: number;
  /** After this time a claim is free for other relays. */
  readonly leaseSeconds: number;
}

/** Whole batches that a look takes up again at most. */
const maxLostBatches = 20;

/**
 * Gives waiting rows of a topic a batch, at most `limit` of them. Returns it with every batch of the topic that was not
 * delivered within `leaseSeconds`: a batch whose relay died is among them. The assignment is committed
 * before anything is started, and a batch is always returned whole, so one that is started twice is the same batch. Relays
 * pass over rows that another is assigning.
 */
export async function claimBatches(
  sqlClient: Sql,
  topic: BatchTopic,
  batchId: string,
  { limit, leaseSeconds }: ClaimLimits,
): Promise<readonly OutboxBatch[]> {
  return sqlClient<OutboxBatch[]>`
    -- Picked once, whatever the plan: a subquery that is run again skips what it has locked, and takes more than the limit.
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

/** A level that is low, claimed for a while by the relay that asked. */
export interface ReplenishRow {
  readonly id: number;
  /** Null where the row says none: it can never be delivered. */
  readonly sku: string | null;
  readonly location: string | null;
}

/**
 * Claims SKUs: of each that has rows waiting, the oldest row, unless a relay is at work on it or it is to wait. So the
 * rows of a SKU are delivered one after the other and in their order, by however many relays. A claim is a time in the
 * row and holds no lock; one whose relay died runs out after `leaseSeconds`.
 */
export async function claimSkus(
  sqlClient: Sql,
  { limit, leaseSeconds }: ClaimLimits,
): Promise<readonly ReplenishRow[]> {
  return sqlClient<ReplenishRow[]>`
    -- Picked once, as in claimBatches. The conditions on the row itself are asked again where another relay changed it
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

/** Workflows exist for these rows: from here on they answer for them. */
export async function markDelivered(sqlClient: Sql, rowIds: readonly number[]): Promise<void> {
  await sqlClient`
    update outbox set delivered_at = clock_timestamp() where id = any(${rowIds as number[]}) and delivered_at is null`;
}

/** Nobody was there to take the rows: they wait so long, and it counts for nothing. */
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

/** A delivery that failed for a reason of its own. */
export interface FailedDelivery {
  readonly rowIds: readonly number[];
  readonly lastError: string;
  /** Failures after which the rows are put before a person. */
  readonly maxAttempts: number;
  /** Wait before the second attempt; each later one waits twice as long as the one before, at most a minute. */
  readonly firstWaitSeconds: number;
  /** `rev_…`: of the review that is opened where the attempts are used up. */
  readonly reviewId: string;
}

/**
 * Counts the failure. Where the attempts are used up the rows go to review, in the same transaction, and are out of the
 * way of those behind them. Returns the seconds until the next attempt; null where there is none.
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
