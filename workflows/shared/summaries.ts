/**
 * One line about each activity call, for operators who read a workflow's history. No names, mail addresses, card tokens or
 * text of a client: more people read histories than orders.
 */
import type { Activities } from '../../activities/index.js';
import type { SupplierAsking } from '../../activities/replenishment.js';
import type { SupplierOperation } from '../../activities/suppliers.js';
import { formatMoney } from '../../domain/money.js';
import type { PaymentRecord } from '../../domain/orders/steps.js';
import type { CardOperation } from '../../domain/purchase/steps.js';

type Summaries = { readonly [Name in keyof Activities]: (...args: Parameters<Activities[Name]>) => string };

/** The server refuses a summary of more than 400 bytes. */
const longestSummary = 200;

const lines = (count: number) => (count === 1 ? '1 line' : `${count} lines`);
const onCard = (operation: CardOperation) => `${formatMoney(operation)} on the ${operation.card} card`;
const goods = ({ quantity, sku }: SupplierOperation) => `${quantity} of ${sku}`;
const wanted = ({ replenishment: { quantity, sku } }: SupplierAsking) => `${quantity} of ${sku}`;
const paid = (payment: PaymentRecord) =>
  payment.cardUsed === null ? formatMoney(payment) : `${formatMoney(payment)} on the ${payment.cardUsed} card`;

const summaries: Summaries = {
  openOrder: ({ lines: { length } }) =>
    length === 0 ? 'Open the order as a draft' : `Open the order and reserve ${lines(length)}`,
  addOrderLine: ({ line: { quantity, sku } }) => `Reserve one more line: ${quantity} of ${sku}`,
  awaitSupplier: () => 'Record the references of the suppliers',
  restockOrder: ({ quantity, line }) => `Receive ${quantity} from the supplier and hold line ${line}`,
  giveUpRestock: () => 'Stop waiting for the suppliers',
  releaseOrder: () => 'Free the stock that the order holds',
  beginConfirm: ({ payment }) =>
    payment === null ? 'Begin to confirm the order, without a card' : 'Begin to confirm the order and its card payment',
  abandonCard: ({ card }) => `Give up the ${card} card`,
  refusePayment: ({ payment, failure }) => `Record the refused payment of ${formatMoney(payment)}: ${failure.code}`,
  settleOrder: ({ payment }) =>
    payment === null ? 'Confirm the order, without a card' : `Confirm the order, paid with ${paid(payment)}`,
  closeOrder: ({ to, failure }) => `Free the stock and end the order as ${to}${failure ? `: ${failure.code}` : ''}`,
  expireOrder: () => 'Expire the order if it is overdue',
  noteOrder: () => 'Add a note to the timeline',
  checkoutOrder: ({ reserving }) =>
    reserving.activity === 'openOrder'
      ? `Reserve ${lines(reserving.step.lines.length)}, take the payment and confirm the order`
      : 'Take the payment and confirm the order',

  chargeCard: (operation, mayCapture) =>
    `Score the risk of, authorize ${mayCapture ? 'and capture ' : ''}${onCard(operation)}`,
  scoreFraud: (operation) => `Score the fraud risk of ${onCard(operation)}`,
  authorizeCard: (operation) => `Authorize ${onCard(operation)}`,
  captureCard: (operation) => `Capture ${onCard(operation)}`,
  undoCard: (operation) => `Void or refund ${onCard(operation)}`,
  abandonPayment: (_soFar, card) => `Give up the ${card} card`,
  takeCustomerLimit: (payment) => `Count ${formatMoney(payment)} towards the customer's limits`,
  recordPayment: (payment) => `Record the payment as ${payment.status}: ${paid(payment)}`,

  beginRefund: ({ orderId }) => `Reserve what the refund of ${orderId === null ? 'a payment' : 'an order'} returns`,
  refundPayment: (operation) => `Refund ${formatMoney(operation)}, attempt ${operation.attempt + 1}`,
  findRefund: (operation) => `Ask the processor about the refund of ${formatMoney(operation)}`,
  acceptRefund: () => "Record the processor's reference of the pending refund",
  settleRefund: () => 'Book the refund, bring its goods back and queue the mail',
  failRefund: ({ failure }) => `Free the amount of the failed refund: ${failure.code}`,
  retryRefund: () => 'Reserve what the refund returns once more',

  openSubscription: ({ plan }) => `Open the subscription: ${formatMoney(plan)} a ${plan.interval}`,
  dueSubscription: () => 'Do what is due',
  settleSubscription: ({ charged }) => `Record the charge as ${charged}`,
  changeSubscription: ({ plan }) => `Change the plan: ${formatMoney(plan)} a ${plan.interval}`,
  cancelSubscription: ({ atPeriodEnd }) => `Cancel the subscription${atPeriodEnd ? " at its period's end" : ''}`,
  pauseSubscription: () => 'Pause the subscription',
  resumeSubscription: () => 'Resume the subscription',
  replaceSubscriptionCard: () => 'Replace the card',
  storeCard: ({ card }) => `Store the ${card} card`,
  startAdvance: (_clockId, to) => `Begin to advance the test clock to ${to}`,
  advanceClock: (_clockId, to) => `Do all that is due up to ${to}`,

  reserveAtSupplier: (operation) => `Ask the supplier to put ${goods(operation)} aside`,
  supplierStatus: (operation) => `Ask the supplier whether ${goods(operation)} have come`,
  cancelAtSupplier: (operation) => `Cancel ${goods(operation)} at the supplier`,

  openTransfer: ({ quantity, sku, from }) => `Hold ${quantity} of ${sku} at ${from}`,
  moveTransfer: () => 'Move the goods to the destination',
  shipTransfer: () => 'Ship the goods: move them into transit',
  receiveTransfer: ({ quantity }) => `Receive ${quantity ?? 'all that was sent'}; book the rest as lost`,
  closeTransfer: ({ to }) => `End the transfer as ${to}`,
  undoTransfer: ({ to }) => `Give the goods back and end the transfer as ${to}`,
  reviewTransfer: () => 'Mark the transfer for manual review',

  planReplenishment: ({ sku, location }) => `Plan what to order of ${sku} for ${location}`,
  askAvailability: (asking) => `Ask the supplier whether ${wanted(asking)} are available`,
  reduceQuantity: (_id, quantity) => `Reduce the order to ${quantity}, which is what the supplier has`,
  findSupplierOrder: () => 'Look for an order that was placed before',
  placeSupplierOrder: (asking) => `Order ${wanted(asking)} from the supplier`,
  cancelSupplierOrder: (asking) => `Cancel the order of ${wanted(asking)} at the supplier`,
  askDelivery: (asking) => `Ask the supplier about the delivery of ${wanted(asking)}`,
  recordPurchaseOrder: ({ quantity, sku }) => `Record the purchase order of ${quantity} of ${sku}`,
  markShipped: () => 'Record that the goods were shipped',
  receiveDelivery: () => 'Receive the delivered goods into stock',
  reportReplenishmentFailure: () => 'Open a review and tell the managers: nothing could be ordered',
  failReplenishment: (_id, failure) => `End the replenishment as failed: ${failure.code}`,

  adoptReported: ({ length }) =>
    `Read ${length === 1 ? 'the payment' : 'the payments'} at the processor and adopt what changed`,
  giveUpReported: () => 'Leave the payment to a person',
  lookForChanges: () => 'Read what has changed at the processors',

  openReview: ({ kind }) => `Open a review: ${kind}`,
  closeReview: () => 'Close the review',
  sendNotices: ({ length }) => `Send ${length === 1 ? '1 mail' : `${length} mails`}`,

  expireReservations: () => 'Free direct reservations that are past their time',
  expireOrders: () => 'Expire orders that are past their time',
  pruneRequests: () => 'Delete stored answers whose retention has ended',
  resumeLostSagas: () => 'Resume orders, payments and transfers whose workflow was lost',
  requestMissedReplenishments: () => 'Queue low levels that nobody is refilling',

  reconcilePayments: () => "Compare the payments with the processors' books",
  failReconciliation: () => 'Record that the reconciliation could not be completed',

  verifyLedger: () => 'Compare the ledger with the levels and the open holds',
  cancelVerification: () => 'Record that the verification was cancelled',
};

/** The summary of an activity call. */
export function summaryOf<Name extends keyof Activities>(name: Name, args: Parameters<Activities[Name]>): string {
  return summaries[name](...args).slice(0, longestSummary);
}
