/**
 * Every limit, once, for the API's schemas, the command line and the parsers of signals. The client's limits are those of
 * the public contract, and the database enforces the same ones.
 */

/** Minor units: the largest amount of one payment, order or price. 99,999,999 is $999,999.99. */
export const maxMinorUnits = 99_999_999;

/** Units: the largest quantity of one line, receipt, adjustment or stock setting. */
export const maxQuantity = 1_000_000_000;

/** Lines of one order. */
export const maxLinesPerOrder = 100;
/** Charges of one order. */
export const maxChargesPerOrder = 20;

/** Inventory operations of one bulk, changes of one batch. */
export const maxOperationsPerBulk = 100;

/** Refused payments of one order, the last of which fails the order. */
export const maxPaymentRefusals = 3;

/** Seconds: the longest life of a direct hold, a year. */
export const maxHoldSeconds = 31_536_000;

/** Code points of a reason: of a cancellation, an adjustment, a transfer that lost goods. */
export const maxReasonLength = 500;
/** Code points of a note on an order or a resolved review. */
export const maxNoteLength = 2000;
/** Code points of a name: of a customer, product, order line, charge, location, supplier, API key. */
export const maxNameLength = 200;
/** Code points of a client's own reference: of a payment, receipt, reservation. */
export const maxReferenceLength = 200;
/** Code points of a client's own id of a customer. */
export const maxCustomerIdLength = 64;
/** Code points of a client's own id of an order. */
export const maxExternalReferenceLength = 255;

/** Code points of one line of a postal address, of a company, city or region. */
export const maxAddressLineLength = 200;
export const maxPostalCodeLength = 20;
export const maxPhoneLength = 40;

/** Keys of an order's metadata, and the code points of each and of its value. */
export const maxMetadataKeys = 50;
export const maxMetadataKeyLength = 40;
export const maxMetadataValueLength = 500;
/** Tags of one order, and the code points of each. */
export const maxTags = 20;
export const maxTagLength = 40;

/** Test clocks and starts of subscriptions come before it: a period that ends after the year 9999 has no RFC 3339 time. */
export const latestClockTime = '3000-01-01T00:00:00.000000Z';

/** Items of a page where the client sets no limit. */
export const defaultPageSize = 50;
/** Items of one page at most. */
export const maxPageSize = 200;

/** Seconds that the API waits for a decision where `Prefer` does not set them. */
export const defaultWaitSeconds = 10;
/** Seconds that the API waits for a decision at most. */
export const maxWaitSeconds = 30;

/** An Idempotency-Key: 1 to 255 visible ASCII characters. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,255}$/;
