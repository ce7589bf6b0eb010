/** The workflow types, each registered under its name. */
export { notices } from './notices/notices.js';
export { order } from './order/order.js';
export { payment } from './payment/payment.js';
export { processorChanges } from './processor/changes.js';
export { processorSync } from './processor/sync.js';
export { nightlyReconciliation } from './reconciliation/nightly.js';
export { reconciliation } from './reconciliation/reconciliation.js';
export { refund } from './refund/refund.js';
export { replenishment } from './replenishment/replenishment.js';
export { subscription } from './subscription/subscription.js';
export { sweep } from './sweep/sweep.js';
export { testClock } from './test-clock/test-clock.js';
export { transfer } from './transfer/transfer.js';
export { verification } from './verification/verification.js';
