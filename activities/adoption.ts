/** Adoption: what processors' books say of our payments becomes ours (db/functions/15_adoption.sql). */
import { heartbeat, log } from '@temporalio/activity';
import {
  adoptBooks,
  closeReports,
  leaveToPerson,
  type Mark,
  type OnDisputes,
  openReports,
  queueReports,
  type Reported,
  readMark,
  saveMark,
} from '../db/payments/adoption.js';
import { keepEvents } from '../db/payments/inbox.js';
import type { Sql } from '../db/postgres/client.js';
import { lastingReason } from '../db/postgres/lasting-errors.js';
import type { Adopted, ProcessorBook } from '../domain/payments/adoption.js';
import type { GatewayName } from '../domain/payments/gateways.js';
import { GatewayFault, presentable } from '../gateways/http/fault.js';
import type { AuthorizationBooks, ChangesPage, PaymentGateway } from '../gateways/payment/gateway.js';
import { callOptions } from './context.js';

export interface AdoptionDependencies {
  readonly sql: Sql;
  readonly gateways: readonly Pick<PaymentGateway, 'name' | 'read' | 'changes'>[];
  readonly gatewayTimeoutSeconds: number;
  /** Tells a workflow that the processor has decided something. Does nothing if the workflow is over. */
  readonly tell: (workflowId: string) => Promise<void>;
  readonly onDisputes?: OnDisputes;
}

/** A payment whose books could not be adopted. */
export interface Unadopted extends Reported {
  /** The processor does not answer, or its payment is being charged: it will pass. Else another attempt will hardly end otherwise. */
  readonly passing: boolean;
  readonly error: string;
}
type Why = Pick<Unadopted, 'passing' | 'error'>;

/** Calls to one processor at once. */
const readsAtOnce = 8;
/** Pages that one look reads; the next one continues. */
const maxPages = 50;
/** Far more often than the time-out of heartbeats. */
const heartbeatMs = 2000;

export function adoptionActivities({ sql, gateways, gatewayTimeoutSeconds, tell, onDisputes }: AdoptionDependencies) {
  const options = () => callOptions(gatewayTimeoutSeconds, '');

  async function read({ gateway: name, providerId }: Reported): Promise<AuthorizationBooks | Why | null> {
    const gateway = gateways.find((each) => each.name === name);
    try {
      if (gateway === undefined) throw new Error(`the card processor ${name} is not set up here`);
      return await gateway.read(providerId, options());
    } catch (error) {
      return { passing: true, error: messageOf(error) };
    }
  }

  /** Adopts the books, and says of each why it could not be adopted; null: it was, or it is none of ours. */
  async function adopt(books: readonly ProcessorBook[]): Promise<readonly (Why | null)[]> {
    const adopted = await adoptEach(books);
    const workflows = adopted.flatMap((each) => ('workflows' in each ? each.workflows : []));
    await Promise.all([...new Set(workflows)].map(tell));
    return adopted.map((each, index) => {
      if (!('workflows' in each)) return each;
      if (each.outcome === 'waiting') return noRoom;
      const { refunds = [], disputes = [] } = books[index] ?? {};
      // Its workflow settles the charge, and never looks at what came after it.
      return each.outcome === 'in_flight' && refunds.length + disputes.length > 0 ? beingCharged : null;
    });
  }

  /** One that Postgres refuses holds up no other. */
  async function adoptEach(books: readonly ProcessorBook[]): Promise<readonly (Adopted | Why)[]> {
    try {
      return await adoptBooks(sql, books, onDisputes);
    } catch (error) {
      const reason = lastingReason(error);
      if (books.length === 1) return [{ passing: false, error: presentable(reason) }];
      const each: (Adopted | Why)[] = [];
      for (const book of books) each.push(...(await adoptEach([book])));
      return each;
    }
  }

  /** Reads some payments of one processor, adopts what their books say, and closes their reports. Returns those that are left. */
  async function adoptSome(payments: readonly Reported[], readAt: string): Promise<readonly Unadopted[]> {
    const reads = await Promise.all(payments.map(read));
    const found = payments.flatMap((payment, index) => {
      const book = reads[index];
      return book && 'refunds' in book ? [{ payment, book: bookOf(payment.gateway, book, readAt) }] : [];
    });
    const whys = await adopt(found.map(({ book }) => book));
    const left = payments.flatMap((payment, index): Unadopted[] => {
      const book = reads[index];
      if (book && 'error' in book) return [{ ...payment, ...book }];
      const why = whys[found.findIndex((each) => each.payment === payment)] ?? null;
      return why === null ? [] : [{ ...payment, ...why }];
    });
    const open = new Set(left.map(({ providerId }) => providerId));
    await closeReports(
      sql,
      payments.filter(({ providerId }) => !open.has(providerId)),
    );
    return left;
  }

  /** Reads one page of a processor's changes. Returns whether more are waiting. */
  async function page(gateway: Looked): Promise<boolean> {
    const { now, ...mark } = await readMark(sql, gateway.name);
    const changes = await changesOf(gateway, mark);
    if (changes === null) return false;
    await keepEvents(sql, changes.events);
    const books = changes.books.map((book) => bookOf(gateway.name, book, now));
    const whys = await adopt(books);
    const left = books.filter((_book, index) => whys[index] !== null);
    await queueReports(
      sql,
      left.map(({ gateway: name, authorizationId: providerId, paymentId }) => ({
        gateway: name,
        providerId,
        paymentId,
      })),
      now,
    );
    const { cursor, until } = changes;
    await saveMark(sql, gateway.name, cursor === null ? { since: until, cursor } : { since: mark.since, cursor });
    return cursor !== null;
  }

  /** Null: the list cannot be read now. */
  async function changesOf(gateway: Looked, mark: Mark): Promise<ChangesPage | null> {
    const { changes } = gateway;
    try {
      return await changes(mark, options()).catch(async (error: unknown) => {
        // Perhaps a page of payments with many refunds each, which is longer than an answer may be.
        if (error instanceof GatewayFault && error.fault === 'malformed')
          return await changes({ ...mark, short: true }, options());
        // A place in the list that the processor does not know any more: look again from the beginning.
        if (error instanceof GatewayFault || mark.cursor === null) throw error;
        return await changes({ ...mark, cursor: null }, options());
      });
    } catch (error) {
      log.warn('the changes at a processor could not be read', { code: gateway.name, detail: messageOf(error) });
      return null;
    }
  }

  return {
    /**
     * Reads the payments that these outbox rows are about, and adopts what their books say. Returns those that need another
     * attempt.
     */
    adoptReported: (rowIds: readonly number[]): Promise<readonly Unadopted[]> =>
      withHeartbeat(async () => {
        const { payments, readAt } = await openReports(sql, rowIds);
        // Those of a processor that hangs hold up no others.
        const left = gateways.map(({ name }) => inTurns(payments.filter(({ gateway }) => gateway === name)));
        const strangers = payments.filter(({ gateway }) => gateways.every(({ name }) => name !== gateway));
        async function inTurns(ofOne: readonly Reported[]): Promise<readonly Unadopted[]> {
          const unadopted: Unadopted[] = [];
          for (let from = 0; from < ofOne.length; from += readsAtOnce)
            unadopted.push(...(await adoptSome(ofOne.slice(from, from + readsAtOnce), readAt)));
          return unadopted;
        }
        return (await Promise.all([...left, inTurns(strangers)])).flat();
      }),

    /**
     * Reads what has changed at each processor since the last look: where no webhook came, or none exists. A processor that
     * does not answer is asked again by the next look.
     */
    lookForChanges: (): Promise<void> =>
      withHeartbeat(async () => {
        const look = async (gateway: Looked) => {
          for (let pages = 1; (await page(gateway)) && pages < maxPages; pages++);
        };
        await Promise.all(gateways.map(look));
      }),

    /** Opens a review of the payment, and closes its reports. */
    giveUpReported: ({ rowIds, gateway, providerId, paymentId, error }: Unadopted, attempts: number): Promise<void> =>
      leaveToPerson(sql, { rowIds, gateway, providerId, paymentId }, { attempts, lastError: error }),
  };
}

export type AdoptionActivities = ReturnType<typeof adoptionActivities>;

type Looked = Pick<PaymentGateway, 'name' | 'changes'>;

const noRoom: Why = {
  passing: false,
  error: 'the processor has returned money that our books reserve for other refunds, or will return it',
};
const beingCharged: Why = { passing: true, error: 'the payment is being charged' };

function messageOf(error: unknown): string {
  return presentable(error instanceof Error ? error.message : String(error));
}

function bookOf(gateway: GatewayName, book: AuthorizationBooks, readAt: string): ProcessorBook {
  const { authorizationId, paymentId, refundable, refunds, disputes } = book;
  return { gateway, authorizationId, paymentId, readAt, refundable, refunds, disputes };
}

async function withHeartbeat<T>(act: () => Promise<T>): Promise<T> {
  const timer = setInterval(heartbeat, heartbeatMs);
  try {
    return await act();
  } finally {
    clearInterval(timer);
  }
}
