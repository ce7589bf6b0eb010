/** Examples for the document: a shop's catalogue and stock. */
export const exampleSku = 'TSHIRT-M';
const createdAt = '2026-11-21T05:41:07.123456Z';
const price = { amount: 1999, currency: 'USD' } as const;

export const supplierExample = {
  id: 'sup_01a1fca5052e708db2f67afe7cac72b9',
  name: 'Cotton & Sons',
  active: true,
  minOrderQuantity: 10,
  maxOrderQuantity: 500,
  url: null,
  createdAt,
  updatedAt: createdAt,
} as const;

const replenished = {
  reorderPoint: 20,
  maxStock: 100,
  supplierId: supplierExample.id,
  supplierPrice: { amount: 700, currency: 'USD' },
} as const;

export const productExample = {
  sku: exampleSku,
  name: 'T-shirt, medium',
  price,
  status: 'active',
  ...replenished,
  createdAt,
  updatedAt: createdAt,
} as const;
export const newProductExample = { sku: exampleSku, name: 'T-shirt, medium', price, ...replenished } as const;

export const locationExample = { code: 'berlin', name: 'Warehouse Berlin', createdAt } as const;

const levels = { onHand: 42, reserved: 2, available: 40 } as const;
export const holdExample = {
  id: 'rsv_01a1fca56b1f75d8a2c40b9f3d9a6e1100',
  quantity: 2,
  location: 'main',
  expiresAt: '2026-11-21T05:56:07.123456Z',
  orderId: 'ord_01a1fca56b1f75d8a2c40b9f3d9a6e11',
} as const;
export const inventoryExample = {
  sku: exampleSku,
  ...levels,
  inTransit: 0,
  locations: [{ location: 'main', ...levels }],
  reservationCount: 1,
  reservations: [holdExample],
} as const;

export const movementExample = {
  id: 'mov_1042',
  sku: exampleSku,
  location: 'main',
  kind: 'received',
  onHandDelta: 40,
  reservedDelta: 0,
  onHandAfter: 42,
  reservedAfter: 2,
  reference: 'delivery 2026-1117',
  reason: null,
  actor: 'api_key:key_01a1fc9f5d0a7d3b8f5c0a3e2b1d4c6f',
  at: createdAt,
} as const;

export const adjustedExample = {
  ...movementExample,
  id: 'mov_1043',
  kind: 'adjusted',
  onHandDelta: -1,
  onHandAfter: 41,
  reference: null,
  reason: 'damaged in the warehouse',
} as const;

export const reservationExample = {
  id: 'rsv_01a1fca7d7f67d0c9a1e5b3c2f8e4d10',
  sku: exampleSku,
  location: 'main',
  quantity: 2,
  status: 'pending',
  orderId: null,
  reference: 'basket 5117',
  expiresAt: '2026-11-21T05:56:07.123456Z',
  createdAt,
  decidedAt: null,
} as const;

const levelAfter = { onHand: 42, reserved: 4, available: 38, replenishmentTriggered: false } as const;
export const operationExample = {
  operation: 'reserve',
  sku: exampleSku,
  quantity: 2,
  reservationId: 'rsv_01a1fca8414d7e2fb0c95f6a7d3e2b1900',
  ...levelAfter,
} as const;
export const bulkExample = {
  results: [
    { index: 0, success: true, result: operationExample },
    {
      index: 1,
      success: false,
      error: { code: 'insufficient_stock', detail: 'insufficient stock: available=38, requested=500' },
    },
  ],
  succeeded: 1,
  failed: 1,
  partialSuccess: true,
} as const;
export const batchExample = {
  updates: [
    { sku: exampleSku, location: 'main', quantity: -2, ...levelAfter, onHand: 40, available: 36 },
    { sku: 'MUG-BLUE', location: 'main', quantity: 12, ...levelAfter, onHand: 12, reserved: 0, available: 12 },
  ],
} as const;

/** One item, and no next page. */
export const pageExample = <Item>(item: Item) => ({ items: [item], nextCursor: null });
