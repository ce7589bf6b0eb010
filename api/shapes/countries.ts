/**
 * ISO 3166-1 alpha-2 codes of countries. The list is that of the package `iso-3166`: `Intl` knows no such list, only names of
 * regions, and gives names to codes that ISO has not assigned (EU, UK, XA) as well.
 */
import { iso31661 } from 'iso-3166/1.js';

const assigned: ReadonlySet<string> = new Set(iso31661.map(({ alpha2 }) => alpha2));

/** Whether ISO has assigned the code to a country. */
export function isCountryCode(code: string): boolean {
  return assigned.has(code);
}
