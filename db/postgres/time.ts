/**
 * Postgres's text for a timestamptz (sessions run in UTC) as RFC 3339 in UTC, to the microsecond as the database's own
 * `rfc3339` writes it: `2026-11-21T05:41:07.123456Z`. Postgres leaves out the zeros at its end.
 */
export function rfc3339(text: string): string {
  const [seconds = '', fraction = ''] = text.replace(/[+]00(:00)?$/, '').split('.');
  return `${seconds.replace(' ', 'T')}.${fraction.padEnd(6, '0')}Z`;
}
