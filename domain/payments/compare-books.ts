/** Compares our books of payments with a processor's. Pure. */
import type { BookedDispute, BookedRefund } from './adoption.js';
import type { GatewayName } from './gateways.js';
import type {
  BookedPayment,
  DiscrepancyKind,
  Finding,
  Moment,
  OurDispute,
  OurPayment,
  OurRefund,
  Remedy,
  Sides,
} from './reconciliation.js';
import type { PaymentStatus } from './states.js';

/** A refund that is pending for more grace times than this is reported. */
const pendingGraces = 2;

const withMoney: readonly PaymentStatus[] = ['captured', 'partially_refunded', 'refunded'];
const inFlight: readonly PaymentStatus[] = ['pending', 'authorized'];

/** What differs between the sides of one payment. Nothing that is young or in flight. */
export function compareSides({ ours, theirs, namesOurs }: Sides, moment: Moment): readonly Finding[] {
  if (ours === null) return theirs.flatMap((their) => strangers(their, namesOurs, moment));
  if (inFlight.includes(ours.status) || isYoung(ours.updatedAt, moment)) return [];
  const pending = pendingLong(ours, theirs, moment);
  if (ours.refunds.some(({ status }) => status === 'pending')) return pending;
  const settled = theirs.filter(({ createdAt }) => !isYoung(createdAt, moment));
  const main = settled.find(({ authorizationId }) => authorizationId === ours.providerReference) ?? null;
  if (!withMoney.includes(ours.status)) return settled.flatMap((their) => leftover(ours, their, 'status'));
  if (main === null && theirs.some(({ authorizationId }) => authorizationId === ours.providerReference)) return [];
  return [
    ...(main === null ? [missingThere(ours)] : compareCharge(ours, main, moment)),
    ...settled.flatMap((their) => (their === main ? [] : leftover(ours, their, 'captured_twice'))),
  ];
}

/** What only the processor has. */
function strangers(their: BookedPayment, namesOurs: ReadonlySet<string>, moment: Moment): Finding[] {
  if (!holdsMoney(their) || isYoung(their.createdAt, moment)) return [];
  if (their.madeBy === 'others') return [finding('unknown_key', null, their, 'none')];
  const duplicate = their.madeBy === 'unknown' && their.reference !== null && namesOurs.has(their.reference);
  return [finding(duplicate ? 'duplicate_reference' : 'missing_here', null, their, 'review')];
}

/** Money on a card that our payment does not count. @param taken what it is if it was captured */
function leftover(ours: OurPayment, their: BookedPayment, taken: 'status' | 'captured_twice'): Finding[] {
  if (!holdsMoney(their)) return [];
  if (their.status === 'authorized') {
    const remedy = their.madeBy === 'us' && their.paymentId === ours.id && their.card !== null ? 'void' : 'review';
    return [finding('authorization_open', ours, their, remedy)];
  }
  if (cameBack(their)) return [finding('refund_failed_late', ours, their, 'adopt')];
  return [finding(taken, ours, their, 'review')];
}

/** The charge that our payment counts. */
function compareCharge(ours: OurPayment, their: BookedPayment, moment: Moment): Finding[] {
  if (their.currency !== ours.currency) return [finding('currency', ours, their, 'review')];
  if (their.status !== 'captured') {
    const expired = their.status === 'voided' && their.expired;
    return [finding(expired ? 'authorization_expired' : 'status', ours, their, 'review')];
  }
  const amount = their.captured === ours.amount ? [] : [finding('amount', ours, their, 'review')];
  const succeeded = ours.refunds.reduce((sum, { status, amount }) => sum + (status === 'succeeded' ? amount : 0), 0);
  // A charge that was undone has no refunds of ours.
  if (ours.refunded !== succeeded) return netOf(their) === 0 ? amount : [...amount, ...leftover(ours, their, 'status')];
  return [...amount, ...compareRefunds(ours, their, moment), ...compareDisputes(ours, their, moment)];
}

function compareRefunds(ours: OurPayment, their: BookedPayment, moment: Moment): Finding[] {
  const there = their.refunds.flatMap((refund) => {
    const here = ours.refunds.find((known) => isSame(known, refund));
    const said = refundFinding(ours, their, here ?? null, refund);
    // Of a late failure only the payment as it stands tells when it happened.
    return said === null || isYoung(refund.at, moment) ? [] : [said];
  });
  const here = ours.refunds.flatMap((refund) => {
    if (refund.status !== 'succeeded' || isYoung(refund.changedAt, moment)) return [];
    if (their.refunds.some((known) => isSame(refund, known))) return [];
    return [ofRefund('refund_missing_there', ours, their, refund, null, 'review')];
  });
  return [...there, ...here];
}

function refundFinding(
  ours: OurPayment,
  their: BookedPayment,
  here: OurRefund | null,
  there: BookedRefund,
): Finding | null {
  if (here === null)
    return there.status === 'failed' ? null : ofRefund('refund_missing_here', ours, their, null, there, 'adopt');
  if (here.status === 'succeeded' && there.status === 'failed')
    return ofRefund('refund_failed_late', ours, their, here, there, 'adopt');
  if (here.status === 'failed' && there.status === 'succeeded')
    return ofRefund('refund_missing_here', ours, their, here, there, 'adopt');
  if (here.amount !== there.amount) return ofRefund('amount', ours, their, here, there, 'review');
  return null;
}

/** Refunds that nobody has decided for long. */
function pendingLong(ours: OurPayment, theirs: readonly BookedPayment[], moment: Moment): Finding[] {
  const their = theirs.find(({ authorizationId }) => authorizationId === ours.providerReference) ?? null;
  const patience = { ...moment, graceSeconds: pendingGraces * moment.graceSeconds };
  return ours.refunds.flatMap((refund) => {
    if (refund.status !== 'pending' || isYoung(refund.createdAt, patience)) return [];
    const there = their?.refunds.find((known) => isSame(refund, known)) ?? null;
    // A pending refund that was made at the processor has no workflow.
    const decided = refund.origin === 'processor' && there !== null && there.status !== 'pending';
    return [ofRefund('refund_pending_long', ours, their, refund, there, decided ? 'adopt' : 'review')];
  });
}

function compareDisputes(ours: OurPayment, their: BookedPayment, moment: Moment): Finding[] {
  return their.disputes.flatMap((dispute) => {
    if (isYoung(dispute.openedAt, moment)) return [];
    const here = ours.disputes.find(({ providerReference }) => providerReference === dispute.providerReference) ?? null;
    const kind = disputeKind(here, dispute);
    if (kind === null) return [];
    const { providerReference, amount, status } = dispute;
    const said = finding(kind, ours, their, 'adopt');
    return [{ ...said, providerReference, ours: here && { ...here }, theirs: { amount, status } }];
  });
}

function disputeKind(here: OurDispute | null, there: BookedDispute): DiscrepancyKind | null {
  if (here === null) return 'dispute_unknown';
  if (here.amount !== there.amount) return 'dispute_amount';
  return here.status === there.status ? null : 'status';
}

function isSame(here: OurRefund, there: BookedRefund): boolean {
  return here.providerReference === null
    ? here.id === there.refundId
    : here.providerReference === there.providerReference;
}

function missingThere(ours: OurPayment): Finding {
  const { providerReference } = ours;
  return { ...finding('missing_there', ours, null, 'review'), providerReference };
}

function ofRefund(
  kind: DiscrepancyKind,
  ours: OurPayment,
  their: BookedPayment | null,
  here: OurRefund | null,
  there: BookedRefund | null,
  remedy: Remedy,
): Finding {
  return {
    ...finding(kind, ours, their, remedy),
    providerReference: there?.providerReference ?? here?.providerReference ?? null,
    ours: here && { refundId: here.id, amount: here.amount, status: here.status },
    theirs: there && { amount: there.amount, status: there.status },
  };
}

function finding(kind: DiscrepancyKind, ours: OurPayment | null, their: BookedPayment | null, remedy: Remedy): Finding {
  return {
    kind,
    paymentId: ours?.id ?? their?.paymentId ?? null,
    providerReference: their?.authorizationId ?? null,
    ours: ours && { status: ours.status, amount: ours.amount, currency: ours.currency },
    theirs: their && {
      status: their.status,
      amount: their.amount,
      captured: their.captured,
      currency: their.currency,
      reference: their.reference,
    },
    remedy,
    authorizationId: their?.authorizationId ?? null,
    card: their?.card ?? null,
  };
}

/** Of one discrepancy, the same in every reconciliation. */
export function discrepancyKey(gateway: GatewayName, { kind, paymentId, providerReference, ours }: Finding): string {
  const refundId = typeof ours?.refundId === 'string' ? ours.refundId : '';
  return [gateway, kind, paymentId ?? '', providerReference ?? '', refundId].join('/');
}

function holdsMoney(their: BookedPayment): boolean {
  return their.status === 'authorized' || (their.status === 'captured' && netOf(their) > 0);
}

/** What was captured and has not gone back. */
function netOf({ captured, refunds }: BookedPayment): number {
  return captured - refunds.reduce((sum, { status, amount }) => sum + (status === 'failed' ? 0 : amount), 0);
}

/** The money of an undone charge went back, and has not reached the cardholder. */
function cameBack({ refunds }: BookedPayment): boolean {
  return refunds.length > 0 && refunds.every(({ status }) => status === 'failed');
}

function isYoung(at: string, { now, graceSeconds }: Moment): boolean {
  return Date.parse(now) - Date.parse(at) < graceSeconds * 1000;
}
