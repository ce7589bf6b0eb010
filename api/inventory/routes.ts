/** Stock: how much there is and was, and what changed it. */
import type { z } from 'zod';
import { findLocations } from '../../db/catalogue/queries.js';
import type { Database, Sql } from '../../db/postgres/client.js';
import type { Page } from '../../db/postgres/page.js';
import {
  inventoryAt,
  inventoryNow,
  listInventory,
  listMovements,
  listOpenHolds,
  type PageOfProduct,
  type ShownMovement,
} from '../../db/stock/inventory.js';
import type { StockCommand, StockOperation } from '../../domain/stock.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest } from '../http/pages.js';
import { type Answer, answer, type Refused, type Reply, refuse } from '../http/reply.js';
import { type CallContext, type Route, route } from '../http/route.js';
import { refuseStock } from '../http/stock-refusals.js';
import {
  adjustedExample,
  holdExample,
  inventoryExample,
  movementExample,
  pageExample,
} from '../openapi/examples/catalogue.js';
import {
  adjustment,
  inventory,
  inventoryListQuery,
  inventoryPage,
  inventoryQuery,
  inventorySku,
  movement,
  movementPage,
  movementQuery,
  openHoldPage,
  receipt,
} from './schemas.js';

export function inventoryRoutes(deps: ApiDeps): Route[] {
  return [...readRoutes(deps), ...changeRoutes(deps)];
}

function readRoutes({ connection: { db, sql } }: ApiDeps): Route[] {
  /** A page of a product's holds or movements, at one location or all. */
  const listOf = async <Item>(
    name: 'holds' | 'movements',
    list: (sql: Sql, query: PageOfProduct) => Promise<Page<Item> | null>,
    sku: string,
    query: z.infer<typeof movementQuery>,
  ): Promise<Reply<Answer<200, Page<Item>>>> => {
    const page = pageRequest(name, query);
    if (page.kind === 'refused') return page;
    const location = query.location ?? null;
    const unknown = await unknownLocation(db, location);
    if (unknown) return unknown;
    const found = await list(sql, { ...page, sku, location });
    return found ? answer(200, found) : refuse('not_found', 'no such product');
  };

  return [
    route({
      method: 'get',
      path: '/api/inventory',
      tag: 'Stock',
      summary: 'List the stock of all products',
      description: 'Lists the current stock of every product, newest product first.',
      example: { answer: pageExample(inventoryExample) },
      scope: 'inventory:read',
      query: inventoryListQuery,
      answers: { 200: inventoryPage },
      handler: async ({ query }) => {
        const page = pageRequest('inventory', query);
        return page.kind === 'refused' ? page : answer(200, await listInventory(sql, page));
      },
    }),
    route({
      method: 'get',
      path: '/api/inventory/:sku',
      tag: 'Stock',
      summary: 'Read the stock of a product',
      description:
        'Returns how much is on hand, reserved and available, in total and by location, and the open holds. With `at`, returns the figures as they stood at that time. Goods in transit between locations are not on hand.',
      example: { answer: inventoryExample },
      scope: 'inventory:read',
      params: inventorySku,
      query: inventoryQuery,
      answers: { 200: inventory },
      refusals: ['not_found', 'unknown_location'],
      handler: async ({ params, query }) => {
        const location = query.location ?? null;
        const unknown = await unknownLocation(db, location);
        if (unknown) return unknown;
        const found =
          query.at === undefined
            ? await inventoryNow(sql, params.sku, location)
            : await inventoryAt(sql, params.sku, location, query.at);
        return found ? answer(200, found) : refuse('not_found', 'no such product');
      },
    }),
    route({
      method: 'get',
      path: '/api/inventory/:sku/reservations',
      tag: 'Stock',
      summary: 'List the open holds of a product',
      description: 'Lists the holds that are neither decided nor expired, newest first.',
      example: { answer: pageExample(holdExample) },
      scope: 'inventory:read',
      params: inventorySku,
      query: movementQuery,
      answers: { 200: openHoldPage },
      refusals: ['not_found', 'unknown_location'],
      handler: ({ params, query }) => listOf('holds', listOpenHolds, params.sku, query),
    }),
    route({
      method: 'get',
      path: '/api/inventory/:sku/movements',
      tag: 'Stock',
      summary: 'List the stock movements of a product',
      description:
        'Lists the ledger rows of a product, newest first: what changed, by how much, why and by whom, and the figures after each change.',
      example: { answer: pageExample(movementExample) },
      scope: 'inventory:read',
      params: inventorySku,
      query: movementQuery,
      answers: { 200: movementPage },
      refusals: ['not_found', 'unknown_location'],
      handler: ({ params, query }) => listOf('movements', listMovements, params.sku, query),
    }),
  ];
}

async function unknownLocation(db: Database, location: string | null): Promise<Refused | null> {
  if (location === null || (await findLocations(db, [location])).length > 0) return null;
  return refuseStock({ code: 'unknown_location', command: 0, location }, true);
}

function changeRoutes({ ledger }: ApiDeps): Route[] {
  const change = async (
    call: CallContext,
    command: StockCommand,
    what: Pick<StockOperation, 'reference' | 'reason'>,
  ): Promise<Reply<Answer<201, ShownMovement>>> => {
    const key = `api/${call.ids.update}`;
    const [result] = await ledger.apply([{ key, commands: [command], actor: call.caller.actor, ...what }]);
    if (result?.outcome === 'refused') return refuseStock(result.refusal, true);
    const [moved] = result?.movements ?? [];
    if (!moved) throw new Error(`the ledger wrote no movement for ${key}`);
    // Receipts and adjustments belong to no hold.
    const { reservationId: _, ...shown } = moved;
    return answer(201, shown);
  };
  return [
    route({
      method: 'post',
      path: '/api/inventory/:sku/receipts',
      tag: 'Stock',
      summary: 'Receive goods',
      description: 'Adds goods to stock on hand.',
      example: { body: { quantity: 40, reference: 'delivery 2026-1117' }, answer: movementExample },
      scope: 'inventory:write',
      params: inventorySku,
      body: receipt,
      answers: { 201: movement },
      refusals: ['not_found', 'unknown_location'],
      handler: (call) => {
        const { quantity, location, reference } = call.body;
        const command = { kind: 'receive', sku: call.params.sku, location, quantity } as const;
        return change(call, command, { reference: reference ?? null });
      },
    }),
    route({
      method: 'post',
      path: '/api/inventory/:sku/adjustments',
      tag: 'Stock',
      summary: 'Adjust stock on hand',
      description:
        'Adds to stock on hand or takes from it, after a count, a loss or a find. Reserved goods cannot be taken.',
      example: { body: { delta: -1, reason: 'damaged in the warehouse' }, answer: adjustedExample },
      scope: 'inventory:write',
      params: inventorySku,
      body: adjustment,
      answers: { 201: movement },
      refusals: ['not_found', 'unknown_location', 'insufficient_stock'],
      handler: (call) => {
        const { delta, location, reason } = call.body;
        return change(call, { kind: 'adjust', sku: call.params.sku, location, delta }, { reason });
      },
    }),
  ];
}
