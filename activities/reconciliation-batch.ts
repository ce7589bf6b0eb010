/** One batch of a reconciliation: compares what was listed, reads again what differs, repairs what is safe, and records it. */
import { createHash } from 'node:crypto';
import { cancellationSignal, log } from '@temporalio/activity';
import { adoptBooks } from '../db/payments/adoption.js';
import {
  keepOutcomes,
  type Listed,
  nextListed,
  type Outcome,
  ourSide,
  storedCounts,
} from '../db/payments/reconciliation-entries.js';
import { maxDiscrepancies, maxNoted, type Runner } from '../db/payments/reconciliations.js';
import { lastingReason } from '../db/postgres/lasting-errors.js';
import { compareSides, discrepancyKey } from '../domain/payments/compare-books.js';
import type { Finding, Moment, ReconciliationProgress } from '../domain/payments/reconciliation.js';
import { GatewayFault, presentable } from '../gateways/http/fault.js';
import type { AuthorizationBooks, PaymentGateway } from '../gateways/payment/gateway.js';
import { callOptions } from './context.js';
import { askGateway } from './failures.js';
import type { ReconciliationDependencies } from './reconciliation.js';
import {
  authorizationsOf,
  booksOf,
  confirmedSides,
  isDoubtful,
  paymentsOf,
  type Read,
} from './reconciliation-listed.js';

type Gateway = Pick<PaymentGateway, 'name' | 'read' | 'void'>;

/** Payments that are compared at once. */
const batchSize = 100;
/** Calls to one processor at once. */
const readsAtOnce = 8;

/** A finding that was confirmed by a fresh reading, with the books that it was read from. */
interface Confirmed {
  readonly key: string;
  readonly finding: Finding;
  readonly books: AuthorizationBooks | null;
  readonly readAt: string;
}

/** Compares everything that was listed of one processor. */
export function comparison({
  connection: { sql },
  gatewayTimeoutSeconds,
  graceSeconds,
  tell,
  onDisputes,
  isRunning,
}: ReconciliationDependencies) {
  const options = () => callOptions(gatewayTimeoutSeconds, '');
  const moment = (now: string): Moment => ({ now, graceSeconds });

  return async (run: Runner, gateway: Gateway, begun: ReconciliationProgress): Promise<'completed' | 'taken_over'> => {
    let progress = begun;
    for (;;) {
      const batch = await nextListed(sql, run.id, gateway.name, progress.after ?? '', batchSize);
      const last = batch.at(-1);
      if (last === undefined) return 'completed';
      const next = { ...withoutRepairs(progress), after: last.subject };
      if (!(await compareBatch(run, gateway, batch, progress, next))) return 'taken_over';
      progress = next;
      cancellationSignal().throwIfAborted();
    }
  };

  async function compareBatch(
    run: Runner,
    gateway: Gateway,
    batch: readonly Listed[],
    progress: ReconciliationProgress,
    next: ReconciliationProgress,
  ): Promise<boolean> {
    const { now, payments } = await ourSide(sql, batch.flatMap(paymentsOf));
    const confirmed = await confirm(
      gateway,
      batch.filter((listed) => isDoubtful(listed, payments, moment(now))),
    );
    const begun = new Set(progress.repairing);
    const kept = await roomFor(run, confirmed, begun);
    const keep = (
      outcomes: readonly Outcome[],
      repaired: readonly string[],
      at: ReconciliationProgress,
      found: number,
    ) =>
      keepOutcomes(
        ...([sql, run, gateway.name] as const),
        { outcomes, repaired: repaired.map((key) => ({ key, reviewId: reviewId(key) })) },
        at,
        { compared: at === next ? batch.length : 0, found },
      );
    const repairs = kept.filter(({ finding: { remedy } }) => remedy === 'adopt' || remedy === 'void');
    if (repairs.length > 0) {
      // Written first: what a killed worker has repaired is found no more.
      const intended = repairs.map(({ key, finding }) => ({ key, finding, action: 'review' as const, review: null }));
      const repairing = [...new Set([...begun, ...repairs.map(({ key }) => key)])];
      if (!(await keep(intended, [], { ...progress, repairing }, 0))) return false;
    }
    const outcomes: Outcome[] = [];
    for (const each of kept) outcomes.push(await settle(gateway, each));
    const gone = [...begun].filter((key) => kept.every((each) => each.key !== key));
    const repaired = outcomes.flatMap(({ key, action }) => (action === 'repaired' ? [key] : []));
    return await keep(outcomes, [...repaired, ...gone], next, confirmed.length + gone.length);
  }

  /** Reads both sides of each payment once more, theirs first, and compares them. */
  async function confirm(gateway: Gateway, doubtful: readonly Listed[]): Promise<Confirmed[]> {
    if (doubtful.length === 0) return [];
    const { now: readAt, payments: known } = await ourSide(sql, doubtful.flatMap(paymentsOf));
    const books = await readAll(
      gateway,
      doubtful.flatMap((listed) => authorizationsOf(listed, known)),
    );
    const { now, payments } = await ourSide(sql, doubtful.flatMap(paymentsOf));
    const confirmed: Confirmed[] = [];
    for (const listed of doubtful) {
      const sides = confirmedSides(listed, payments, books);
      for (const finding of sides === null ? [] : compareSides(sides, moment(now))) {
        if (finding.kind === 'missing_here' && (await isUnderWay(finding.paymentId))) continue;
        const read = finding.authorizationId === null ? null : booksOf(books.get(finding.authorizationId));
        confirmed.push({ key: discrepancyKey(gateway.name, finding), finding, books: read, readAt });
      }
    }
    return confirmed;
  }

  /** A payment without an order has no row until it is decided. */
  async function isUnderWay(paymentId: string | null): Promise<boolean> {
    return paymentId !== null && (await isRunning(`payment/${paymentId}`));
  }

  async function readAll(gateway: Gateway, asked: readonly string[]): Promise<Map<string, Read>> {
    const ids = [...new Set(asked)];
    const books = new Map<string, Read>();
    for (let from = 0; from < ids.length; from += readsAtOnce) {
      const some = ids.slice(from, from + readsAtOnce);
      const reads = await Promise.all(some.map((id) => readOne(gateway, id)));
      for (const [index, id] of some.entries()) books.set(id, reads[index] ?? null);
      cancellationSignal().throwIfAborted();
    }
    return books;
  }

  /** One payment that the processor shows wrongly holds up no others: the next reconciliation reads it again. */
  async function readOne(gateway: Gateway, id: string): Promise<Read> {
    try {
      return await gateway.read(id, options());
    } catch (error) {
      if (error instanceof GatewayFault && (error.fault === 'unreachable' || error.fault === 'no_answer'))
        return await askGateway(() => Promise.reject(error), null, 1);
      log.warn('a payment could not be read at its processor', { code: gateway.name, detail: messageOf(error) });
      return 'unreadable';
    }
  }

  /** Those that are stored; what is beyond the bound is only counted, and found again next time. */
  async function roomFor(run: Runner, confirmed: readonly Confirmed[], repairing: ReadonlySet<string>) {
    const stored = await storedCounts(sql, run.id);
    let acting = maxDiscrepancies - stored.acting;
    let noted = maxNoted - stored.noted;
    return confirmed.filter(({ key, finding: { remedy } }) => {
      if (repairing.has(key)) return true;
      return remedy === 'none' ? noted-- > 0 : acting-- > 0;
    });
  }

  async function settle(gateway: Gateway, confirmed: Confirmed): Promise<Outcome> {
    const { key, finding } = confirmed;
    if (finding.remedy === 'none') return { key, finding, action: 'none', review: null };
    const why = await repair(gateway, confirmed);
    if (why === null) return { key, finding, action: 'repaired', review: null };
    const { paymentId, providerReference } = finding;
    const subject = paymentId === null ? `processor/${gateway.name}/${providerReference}` : `payment/${paymentId}`;
    return { key, finding, action: 'review', review: { id: reviewId(key), subject, lastError: why } };
  }

  /** Null: it is repaired. Else why it is not. */
  async function repair(gateway: Gateway, confirmed: Confirmed): Promise<string | null> {
    const { finding, books } = confirmed;
    const { remedy, paymentId, card } = finding;
    if (books !== null && remedy === 'adopt') return await adopt(gateway, confirmed, books);
    if (books !== null && remedy === 'void' && paymentId !== null && card !== null)
      return await voidCard(gateway, { paymentId, card }, books.authorizationId);
    return 'our books and the processor’s differ, and no repair is safe';
  }

  async function adopt(
    gateway: Gateway,
    { key, finding: { paymentId }, readAt }: Confirmed,
    { authorizationId, refundable, refunds, disputes, ...rest }: AuthorizationBooks,
  ): Promise<string | null> {
    const book = { gateway: gateway.name, authorizationId, paymentId, readAt, refundable, refunds, disputes };
    try {
      const adopted = await adoptBooks(sql, [book], onDisputes);
      await Promise.all(adopted.flatMap(({ workflows }) => workflows).map(tell));
    } catch (error) {
      return presentable(lastingReason(error));
    }
    const { now, payments } = await ourSide(sql, paymentId === null ? [] : [paymentId]);
    const [ours = null] = payments;
    const theirs = [{ ...rest, authorizationId, refunds, disputes }];
    const left = compareSides({ ours, theirs, namesOurs: new Set() }, { now, graceSeconds: 0 });
    if (left.every((each) => discrepancyKey(gateway.name, each) !== key)) return null;
    return 'the processor’s books could not be adopted, or not all of them';
  }

  async function voidCard(
    gateway: Gateway,
    operation: Parameters<Gateway['void']>[0],
    authorizationId: string,
  ): Promise<string | null> {
    try {
      const { kind } = await gateway.void(operation, authorizationId, options());
      return kind === 'voided' ? null : 'the authorization was captured before it could be voided';
    } catch (error) {
      return messageOf(error);
    }
  }
}

function withoutRepairs({ repairing: _repairing, ...progress }: ReconciliationProgress): ReconciliationProgress {
  return progress;
}

/** One for each discrepancy, however often it is found. */
function reviewId(key: string): string {
  return `rev_${createHash('sha256').update(`reconciliation/${key}`).digest('hex').slice(0, 32)}`;
}

function messageOf(error: unknown): string {
  return presentable(error instanceof Error ? error.message : String(error));
}
