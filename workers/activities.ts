/** The activities of a worker, on their stores and gateways. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import { adoptionActivities } from '../activities/adoption.js';
import { cardCalls } from '../activities/card-calls.js';
import { checkoutActivities } from '../activities/checkout.js';
import type { Around } from '../activities/context.js';
import type { Activities } from '../activities/index.js';
import { noticeActivities } from '../activities/notices.js';
import { orderActivities } from '../activities/orders.js';
import { paymentActivities } from '../activities/payments.js';
import { reconciliationActivities } from '../activities/reconciliation.js';
import { refundActivities } from '../activities/refunds.js';
import { replenishmentActivities } from '../activities/replenishment.js';
import { reviewActivities } from '../activities/reviews.js';
import { fraudScoring } from '../activities/scoring.js';
import { storedCardActivities } from '../activities/stored-cards.js';
import { subscriptionActivities } from '../activities/subscriptions.js';
import { supplierActivities } from '../activities/suppliers.js';
import { sweepActivities } from '../activities/sweep.js';
import { testClockActivities } from '../activities/test-clocks.js';
import { transferActivities } from '../activities/transfers.js';
import { verificationActivities } from '../activities/verification.js';
import { secretOf } from '../db/access/secrets.js';
import { createOrderStore } from '../db/orders/store.js';
import { scoreAttempt } from '../db/payments/fraud.js';
import { processorCustomers, providerIds } from '../db/payments/provider-ids.js';
import type { Connection } from '../db/postgres/client.js';
import { createRefundStore } from '../db/refunds/store.js';
import { createLedger } from '../db/stock/ledger.js';
import { getSubscription } from '../db/subscriptions/queries.js';
import { createSubscriptionStore } from '../db/subscriptions/store.js';
import { createTransferStore } from '../db/transfers/store.js';
import type { PaymentRecord } from '../domain/orders/steps.js';
import { customerLimits } from '../domain/payments/limits.js';
import type { Settings } from '../domain/settings.js';
import type { SubscriptionStatus } from '../domain/subscriptions/states.js';
import { createSandboxFraud } from '../gateways/fraud/sandbox.js';
import { createSmtpMail } from '../gateways/mail/smtp.js';
import type { PaymentGateway } from '../gateways/payment/gateway.js';
import { paymentGateways } from '../gateways/payment/registry.js';
import { createHttpSuppliers } from '../gateways/supplier/http.js';
import { processorSignal } from '../workflows/shared/contract.js';
import {
  type AdvanceRequest,
  type SubscriptionAnswer,
  subscriptionUpdates,
  subscriptionWorkflowId,
} from '../workflows/subscription/contract.js';
import { type GoneTools, restartGoneSubscriptions, startFromRow } from './upkeep/gone-subscriptions.js';
import { resumeLostSagas } from './upkeep/lost-sagas.js';
import type { WorkerMetrics } from './upkeep/metrics.js';
import type { BillingOutcome } from './upkeep/payment-metrics.js';

interface ActivityOptions {
  readonly settings: Settings;
  readonly log: Logger;
  readonly sandboxUrl: string;
  readonly smtpUrl: string;
  readonly processors: readonly PaymentGateway[];
}

export function activitiesOn(
  connection: Connection,
  client: Client,
  options: ActivityOptions,
  metrics: WorkerMetrics,
  around: Around,
): Activities {
  const {
    gatewayTimeoutSeconds,
    gatewayAllowHosts: allowed,
    workflowTaskTimeoutSeconds,
    paymentGateway,
  } = options.settings;
  const timeoutMs = gatewayTimeoutSeconds * 1000;
  const ledger = metrics.stock.ledger(createLedger(connection.sql));
  const store = metrics.payments.orders(metrics.stock.orders(createOrderStore(connection.sql)));
  const suppliers = metrics.measured(createHttpSuppliers({ baseUrl: options.sandboxUrl, timeoutMs, allowed }));
  const smtp = new URL(options.smtpUrl);
  const orders = orderActivities(store, paymentGateway, customerLimits(options.settings.payments));
  const processors = paymentGateways(options.processors);
  const calls = cardCalls({
    payments: processors,
    fraud: fraudScoring({
      scorer: options.settings.payments.fraudScorer,
      whenDown: options.settings.payments.fraudWhenDown,
      http: createSandboxFraud({ baseUrl: options.sandboxUrl, timeoutMs }),
      payments: processors,
      record: (attempt) => scoreAttempt(connection.sql, attempt),
      cardKey: () => secretOf(connection.sql, 'card_fingerprints'),
    }),
    ids: providerIds(connection.sql),
    gatewayTimeoutSeconds,
  });
  const onRecorded = (payment: PaymentRecord, status = payment.status) => {
    metrics.stock.sagaEnded('payment', status);
    metrics.payments.onPayment(payment, status);
  };
  const payments = paymentActivities({
    calls,
    sql: connection.sql,
    onRecorded,
    around,
  });
  return {
    ...orders,
    ...payments,
    ...refundActivities({
      store: metrics.stock.refunds(createRefundStore(connection.sql)),
      gatewayOf: processors.of,
      gatewayTimeoutSeconds,
    }),
    ...storedCardActivities({
      gatewayOf: processors.of,
      customers: processorCustomers(connection.sql),
      gatewayTimeoutSeconds,
    }),
    ...adoptionActivities({
      sql: connection.sql,
      gateways: options.processors,
      gatewayTimeoutSeconds,
      tell: (workflowId) => tellOfProcessor(client, workflowId),
      onDisputes: metrics.payments.onDisputes,
    }),
    ...reconciliationActivities({
      connection,
      gateways: options.processors,
      current: paymentGateway,
      gatewayTimeoutSeconds,
      graceSeconds: options.settings.payments.reconciliationGraceSeconds,
      tell: (workflowId) => tellOfProcessor(client, workflowId),
      onDisputes: metrics.payments.onDisputes,
      isRunning: (workflowId) => isRunning(client, workflowId),
    }),
    ...checkoutActivities({ orders, calls, around }),
    ...transferActivities(metrics.stock.transfers(createTransferStore(connection.sql))),
    ...subscriptionActivities({
      store: createSubscriptionStore(connection),
      now: Date.now,
      onRecorded: (payment, { gateway, status }) => {
        onRecorded(payment);
        metrics.payments.onBilling(billingOutcome(payment, status), gateway);
      },
    }),
    ...testClockActivities({
      connection,
      advance: (subscriptionId, updateId, to) =>
        advanceSubscription({ client, connection, settings: options.settings }, subscriptionId, updateId, to),
    }),
    ...supplierActivities(suppliers, gatewayTimeoutSeconds),
    ...replenishmentActivities({
      sql: connection.sql,
      suppliers,
      gatewayTimeoutSeconds,
      observer: metrics.replenishment,
    }),
    ...reviewActivities(connection.db),
    ...noticeActivities(
      connection,
      createSmtpMail({
        host: smtp.hostname,
        port: Number(smtp.port || 25),
        from: 'orders@holdfast.example',
        timeoutMs,
      }),
      { warehouse: options.settings.warehouseEmail, managers: options.settings.managersEmail },
    ),
    ...verificationActivities(connection),
    ...sweepActivities(connection, ledger, store, async (onProgress) => {
      const { log, settings } = options;
      const resumed = await resumeLostSagas({ client, connection, log, workflowTaskTimeoutSeconds }, onProgress);
      return resumed + (await restartGoneSubscriptions({ client, connection, log, settings }, onProgress));
    }),
  };
}

/** Ends when the subscription has done all that is due. One whose workflow and history are gone is started from its row. */
async function advanceSubscription(
  { client, connection, settings }: Pick<GoneTools, 'client' | 'connection' | 'settings'>,
  id: string,
  updateId: string,
  to: string,
): Promise<void> {
  const request: AdvanceRequest = { to, caller: { actor: 'test clock', traceparent: '', requestId: null } };
  const handle = client.workflow.getHandle(subscriptionWorkflowId(id));
  const advance = () =>
    handle.executeUpdate<SubscriptionAnswer, [AdvanceRequest]>(subscriptionUpdates.advance, {
      args: [request],
      updateId,
    });
  try {
    await advance();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    const row = await getSubscription(connection.db, id);
    if (row === null || row.status === 'cancelled') return;
    await startFromRow(client, row, settings);
    await advance();
  }
}

/** A workflow that is over needs to know nothing. */
async function tellOfProcessor(client: Client, workflowId: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).signal(processorSignal);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** @param status of the subscription, once the payment is recorded */
function billingOutcome(payment: PaymentRecord, status: SubscriptionStatus): BillingOutcome {
  if (payment.status === 'captured') return 'paid';
  return status === 'unpaid' || status === 'cancelled' ? 'unpaid' : 'failed';
}
