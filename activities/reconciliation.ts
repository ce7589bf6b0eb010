/**
 * Compares our payments with processors' books, in steps that any worker can resume: lists what each processor has, page by
 * page, adds what only we have, and compares payment by payment. Progress and what was listed are in Postgres.
 */
import { randomUUID } from 'node:crypto';
import { cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { OnDisputes } from '../db/payments/adoption.js';
import { keepOurs, keepPage, type ListedEntry } from '../db/payments/reconciliation-entries.js';
import {
  claimReconciliation,
  completeReconciliation,
  failReconciliation,
  gatewaysBetween,
  type ReconciliationRun,
  type Runner,
  saveProgress,
} from '../db/payments/reconciliations.js';
import type { Connection } from '../db/postgres/client.js';
import type { GatewayName } from '../domain/payments/gateways.js';
import type { ReconciliationProgress } from '../domain/payments/reconciliation.js';
import { lastingFailure } from '../domain/retry.js';
import { GatewayFault, presentable } from '../gateways/http/fault.js';
import type { ListedPage, ListRequest, PaymentGateway } from '../gateways/payment/gateway.js';
import { callOptions } from './context.js';
import { askGateway } from './failures.js';
import { comparison } from './reconciliation-batch.js';

export interface ReconciliationDependencies {
  readonly connection: Pick<Connection, 'sql' | 'slowSql'>;
  readonly gateways: readonly Pick<PaymentGateway, 'name' | 'list' | 'read' | 'void'>[];
  /** The processor of new payments. */
  readonly current: GatewayName;
  readonly gatewayTimeoutSeconds: number;
  /** RECONCILIATION_GRACE_SECONDS */
  readonly graceSeconds: number;
  /** Tells a workflow that the processor has decided something. Does nothing if the workflow is over. */
  readonly tell: (workflowId: string) => Promise<void>;
  readonly onDisputes?: OnDisputes;
  readonly isRunning: (workflowId: string) => Promise<boolean>;
}

/** Of one processor: 100,000 payments at a list of 25. */
const maxPages = 4000;
/** Far more often than the time-out of heartbeats. */
const heartbeatMs = 2000;

export function reconciliationActivities(dependencies: ReconciliationDependencies) {
  const { connection, gateways, current, gatewayTimeoutSeconds } = dependencies;
  const { sql, slowSql } = connection;
  const compare = comparison(dependencies);

  function gatewayOf(name: GatewayName) {
    const gateway = gateways.find((each) => each.name === name);
    if (gateway === undefined) throw final(`the card processor ${name} is not set up here`);
    return gateway;
  }

  async function listed(name: GatewayName, request: ListRequest): Promise<ListedPage> {
    const gateway = gatewayOf(name);
    const options = callOptions(gatewayTimeoutSeconds, '');
    return await gateway.list(request, options).catch(async (error: unknown) => {
      // Perhaps a page of payments with many refunds each, which is longer than an answer may be.
      if (!(error instanceof GatewayFault) || error.fault !== 'malformed') throw error;
      return await gateway.list({ ...request, short: true }, options);
    });
  }

  /** Lists what is left of one processor. Null: another attempt has taken over. */
  async function list(run: ReconciliationRun & Runner, name: GatewayName, begun: ReconciliationProgress) {
    let progress = begun;
    while (progress.cursor !== null) {
      const { cursor = null, pages = 0 } = progress;
      if (pages >= maxPages) throw final(`${name} lists more than ${maxPages} pages: choose a shorter window`);
      const page = await askGateway(() => listed(name, { from: run.from, to: run.to, cursor }), null, 1);
      if (page.cursor !== null && page.cursor === cursor) throw final(`${name} lists the same page again and again`);
      progress = { ...progress, cursor: page.cursor, pages: pages + 1 };
      if (!(await keepPage(sql, run, name, entriesOf(page), progress))) return null;
      cancellationSignal().throwIfAborted();
    }
    if (progress.after === undefined) {
      progress = { ...progress, after: '' };
      if (!(await keepOurs(slowSql, run, name, run, progress))) return null;
    }
    return progress;
  }

  async function reconcile(run: ReconciliationRun & Runner, claimed: ReconciliationProgress): Promise<void> {
    let progress = claimed;
    if (progress.gateways === undefined) {
      const names = await gatewaysBetween(sql, run.from, run.to);
      progress = { gateways: [...new Set([current, ...names])].sort() };
      if (!(await saveProgress(sql, run, progress))) return;
    }
    const { gateways: names = [] } = progress;
    for (const name of names.slice(progress.done ?? 0)) {
      const ready = await list(run, name, progress);
      if (ready === null) return;
      if ((await compare(run, gatewayOf(name), ready)) === 'taken_over') return;
      progress = { gateways: names, done: (progress.done ?? 0) + 1 };
      if (!(await saveProgress(sql, run, progress))) return;
    }
    await completeReconciliation(slowSql, run);
    log.info('the payments were compared with the processors', { reconciliationId: run.id });
  }

  return {
    /**
     * Compares the payments of a window with each processor's books, from where the last attempt stopped. A concurrent
     * attempt takes over, and this one ends.
     */
    reconcilePayments: async (run: ReconciliationRun): Promise<void> => {
      const timer = setInterval(heartbeat, heartbeatMs);
      try {
        const runner = randomUUID();
        const progress = await claimReconciliation(sql, run, runner);
        if (progress !== null) await reconcile({ ...run, runner }, progress);
      } finally {
        clearInterval(timer);
      }
    },

    /** Ends a reconciliation that cannot be completed. */
    failReconciliation: (id: string, failure: string): Promise<void> =>
      failReconciliation(sql, id, presentable(failure)),
  };
}

export type ReconciliationActivities = ReturnType<typeof reconciliationActivities>;

/** A failure that no retry fixes. */
function final(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: lastingFailure, message, nonRetryable: true });
}

function entriesOf({ payments, refunds, disputes }: ListedPage): readonly ListedEntry[] {
  const none = { named: null, purpose: null };
  return [
    ...payments.map((entry) => ({
      ...{ kind: 'payment' as const, reference: entry.authorizationId, authorizationId: entry.authorizationId },
      ...{ named: entry.paymentId, purpose: entry.reference, entry },
    })),
    ...[...refunds].map(({ authorizationId, ...entry }) => ({
      ...{ kind: 'refund' as const, reference: entry.providerReference, authorizationId, ...none, entry },
    })),
    ...[...disputes].map(({ authorizationId, ...entry }) => ({
      ...{ kind: 'dispute' as const, reference: entry.providerReference, authorizationId, ...none, entry },
    })),
  ];
}
