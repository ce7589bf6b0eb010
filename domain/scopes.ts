/** The scopes of an API key. None implies another. */

export const scopes = [
  'orders:read',
  'orders:write',
  'inventory:read',
  'inventory:write',
  'payments:read',
  'payments:write',
  'supply:read',
  'supply:write',
  'admin',
] as const;
export type Scope = (typeof scopes)[number];
