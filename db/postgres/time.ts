/**
 * Converts Postgres's text for a timestamptz (sessions run in UTC) to RFC 3339 with six decimals, as the SQL function
 * `rfc3339` writes it: `2026-11-21T05:41:07.123456Z`. Postgres omits trailing zeros.
 */
export function rfc3339(text: string): string {
  const [seconds = '', fraction = ''] = text.replace(/[+]00(:00)?$/, '').split('.');
  return `${seconds.replace(' ', 'T')}.${fraction.padEnd(6, '0')}Z`;
}
