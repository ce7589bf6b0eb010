/** The scopes of an API key. None implies another. */

export const scopes = [
  'orders:read',
  'orders:write',
  // Lines of an order at prices other than the catalogue's.
  'orders:price',
  'inventory:read',
  'inventory:write',
  'payments:read',
  'payments:write',
  'supply:read',
  'supply:write',
  'admin',
] as const;
export type Scope = (typeof scopes)[number];
