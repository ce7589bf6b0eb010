/** Postgres's text for a timestamptz (sessions run in UTC) as RFC 3339 in UTC: `2026-11-21T05:41:07.123456Z`. */
export function rfc3339(text: string): string;
export function rfc3339(text: string | null): string | null;
export function rfc3339(text: string | null): string | null {
  return text === null ? null : text.replace(' ', 'T').replace(/[+]00(:00)?$/, 'Z');
}
