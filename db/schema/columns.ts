/** Kinds of columns. */
import { bigint, timestamp } from 'drizzle-orm/pg-core';

/** timestamptz, as text to the microsecond. */
export const at = (name: string) => timestamp(name, { withTimezone: true, precision: 6, mode: 'string' });
/** Quantities and money in minor units: bigint, so that sums cannot overflow. */
export const count = (name: string) => bigint(name, { mode: 'number' });
