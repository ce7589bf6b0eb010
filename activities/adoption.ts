/** Adoption: what processors' books say of our payments becomes ours (db/functions/15_adoption.sql). */
import { heartbeat, log } from '@temporalio/activity';
import {
  adoptBooks,
  closeReports,
  openReports,
  queueReports,
  type Reported,
  readMark,
  saveMark,
} from '../db/payments/adoption.js';
import { keepEvents } from '../db/payments/inbox.js';
import type { Sql } from '../db/postgres/client.js';
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
}

/** A payment whose books could not be adopted. */
export interface Unadopted extends Reported {
  /** The processor does not answer: it may do so soon. Else the same attempt will hardly end otherwise. */
  readonly outage: boolean;
  readonly error: string;
}

/** Calls to a processor at once. */
const readsAtOnce = 8;
/** Pages that one look reads; the next one goes on. */
const maxPages = 50;

export function adoptionActivities({ sql, gateways, gatewayTimeoutSeconds, tell }: AdoptionDependencies) {
  const gatewayOf = (name: GatewayName) => gateways.find((gateway) => gateway.name === name);
  const options = () => callOptions(gatewayTimeoutSeconds, '');

  async function read({ gateway: name, providerId }: Reported): Promise<AuthorizationBooks | null> {
    const gateway = gatewayOf(name);
    if (gateway === undefined) throw new Error(`the card processor ${name} is not set up here`);
    heartbeat();
    return await gateway.read(providerId, options());
  }

  async function adopt(books: readonly ProcessorBook[]): Promise<readonly Adopted[]> {
    const adopted = await adoptBooks(sql, books);
    const workflows = [...new Set(adopted.flatMap((each) => each.workflows))];
    await inTurns(workflows, tell);
    return adopted;
  }

  /** Reads one page of a processor's changes. Returns whether more are waiting. */
  async function page(gateway: Pick<PaymentGateway, 'name' | 'changes'>): Promise<boolean> {
    const { now, ...mark } = await readMark(sql, gateway.name);
    const changes = await changesOf(gateway, mark);
    await keepEvents(sql, changes.events);
    const books = changes.books.map((book) => bookOf(gateway.name, book, now));
    const adopted = await adopt(books);
    const waiting = books.filter((_book, index) => adopted[index]?.outcome === 'waiting');
    await queueReports(
      sql,
      waiting.map(({ gateway: name, authorizationId: providerId }) => ({ gateway: name, providerId })),
      now,
    );
    const { cursor, until } = changes;
    await saveMark(sql, gateway.name, cursor === null ? { since: until, cursor } : { since: mark.since, cursor });
    return cursor !== null;
  }

  async function changesOf(
    { changes }: Pick<PaymentGateway, 'changes'>,
    mark: { since: string; cursor: string | null },
  ): Promise<ChangesPage> {
    try {
      return await changes(mark, options());
    } catch (error) {
      // A place in the list that the processor does not know any more: look again from the beginning.
      if (error instanceof GatewayFault || mark.cursor === null) throw error;
      return await changes({ ...mark, cursor: null }, options());
    }
  }

  return {
    /**
     * Reads the payments that these outbox rows are about, and adopts what their books say. Returns those that need another
     * attempt.
     */
    async adoptReported(rowIds: readonly number[]): Promise<readonly Unadopted[]> {
      const { payments, readAt } = await openReports(sql, rowIds);
      const reads = await inTurns(payments, async (payment) => {
        try {
          return await read(payment);
        } catch (error) {
          return failureOf(error);
        }
      });
      const found = payments.flatMap((payment, index) => {
        const book = reads[index];
        return book && !('error' in book) ? [{ payment, book: bookOf(payment.gateway, book, readAt) }] : [];
      });
      const adopted = await adopt(found.map(({ book }) => book));
      const waiting = new Set(
        found.filter((_, index) => adopted[index]?.outcome === 'waiting').map((one) => one.payment),
      );
      const left = payments.flatMap((payment, index): Unadopted[] => {
        const book = reads[index];
        if (book && 'error' in book) return [{ ...payment, ...book }];
        return waiting.has(payment) ? [{ ...payment, ...noRoom }] : [];
      });
      const open = new Set(left.flatMap((payment) => payment.rowIds));
      await closeReports(
        sql,
        payments.flatMap((payment) => payment.rowIds).filter((id) => !open.has(id)),
      );
      return left;
    },

    /**
     * Reads what has changed at each processor since the last look: where no webhook came, or none exists. A processor that
     * does not answer is asked again by the next look.
     */
    async lookForChanges(): Promise<void> {
      await Promise.all(
        gateways.map(async (gateway) => {
          try {
            for (let pages = 1; (await page(gateway)) && pages < maxPages; pages++) heartbeat();
          } catch (error) {
            if (!(error instanceof GatewayFault)) throw error;
            log.warn('the changes at a processor could not be read', { code: gateway.name, detail: error.message });
          }
        }),
      );
    },

    /** Gives these outbox rows up: a person looks at them. */
    giveUpReported: (rowIds: readonly number[]): Promise<void> => closeReports(sql, rowIds),
  };
}

export type AdoptionActivities = ReturnType<typeof adoptionActivities>;

const noRoom = {
  outage: false,
  error: 'the processor has returned money that our books reserve for other refunds',
} as const;

function failureOf(error: unknown): Pick<Unadopted, 'outage' | 'error'> {
  const message = presentable(error instanceof Error ? error.message : String(error));
  return { outage: error instanceof GatewayFault && error.fault !== 'malformed', error: message };
}

function bookOf(gateway: GatewayName, book: AuthorizationBooks, readAt: string): ProcessorBook {
  const { authorizationId, refundable, refunds, disputes } = book;
  return { gateway, authorizationId, readAt, refundable, refunds, disputes };
}

/** Runs the calls, a few at once, and returns their results in order. */
async function inTurns<Item, Result>(items: readonly Item[], call: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += readsAtOnce)
    results.push(...(await Promise.all(items.slice(from, from + readsAtOnce).map(call))));
  return results;
}
