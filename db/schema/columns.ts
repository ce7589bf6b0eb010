/** Column types. */
import { bigint, customType } from 'drizzle-orm/pg-core';
import { rfc3339 } from '../postgres/time.js';

/** timestamptz, as RFC 3339 in UTC to the microsecond. */
export const at = customType<{ data: string; driverData: string }>({
  dataType: () => 'timestamp (6) with time zone',
  fromDriver: (text) => rfc3339(text),
});
/** Quantities and money in minor units: bigint, so that sums cannot overflow. */
export const count = (name: string) => bigint(name, { mode: 'number' });
