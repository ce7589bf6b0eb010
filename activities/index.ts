/** Every activity, under the name that workers register and workflows call. */
import type { AdoptionActivities } from './adoption.js';
import type { CheckoutActivities } from './checkout.js';
import type { NoticeActivities } from './notices.js';
import type { OrderActivities } from './orders.js';
import type { PaymentActivities } from './payments.js';
import type { ReconciliationActivities } from './reconciliation.js';
import type { RefundActivities } from './refunds.js';
import type { ReplenishmentActivities } from './replenishment.js';
import type { ReviewActivities } from './reviews.js';
import type { StoredCardActivities } from './stored-cards.js';
import type { SubscriptionActivities } from './subscriptions.js';
import type { SupplierActivities } from './suppliers.js';
import type { SweepActivities } from './sweep.js';
import type { TestClockActivities } from './test-clocks.js';
import type { TransferActivities } from './transfers.js';
import type { VerificationActivities } from './verification.js';

export type Activities = AdoptionActivities &
  CheckoutActivities &
  OrderActivities &
  PaymentActivities &
  ReconciliationActivities &
  RefundActivities &
  ReplenishmentActivities &
  ReviewActivities &
  NoticeActivities &
  StoredCardActivities &
  SubscriptionActivities &
  SupplierActivities &
  SweepActivities &
  TestClockActivities &
  TransferActivities &
  VerificationActivities;
