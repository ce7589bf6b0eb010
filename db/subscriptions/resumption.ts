/** What a new run of a subscription's workflow needs where the server does not know the old one any more. */
import type { Settings } from '../../domain/settings.js';
import type { SubscriptionRow } from './queries.js';

/** The input of a run that finds its subscription as it stands; its cards are in the row. Who asks for it is missing. */
export function resumptionOf(row: SubscriptionRow, settings: Settings) {
  const { retryBaseScale, gatewayTimeoutSeconds } = settings;
  return {
    subscriptionId: row.id,
    customerId: row.customerId,
    email: row.email,
    plan: { amount: row.planAmount, currency: row.planCurrency, interval: row.planInterval },
    gateway: row.gateway,
    ...{ cardToken: '', backupCardToken: null, startAt: null, anchorDay: row.anchorDay, testClock: row.testClock },
    dunningWaitsSeconds: settings.payments.dunningWaitsSeconds,
    retry: { retryBaseScale, gatewayTimeoutSeconds },
    requestedAt: row.createdAt,
    continued: true as const,
  };
}
