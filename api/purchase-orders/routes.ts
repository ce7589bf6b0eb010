/** Purchase orders: orders placed with suppliers, and whether they were delivered. */
import { getPurchaseOrder, listPurchaseOrders } from '../../db/supply/purchase-orders.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer, refuse } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import { purchaseOrderExample } from '../openapi/examples/supply.js';
import { purchaseOrder, purchaseOrderId, purchaseOrderPage, purchaseOrderQuery } from './schemas.js';
import { viewPurchaseOrder } from './view.js';

export function purchaseOrderRoutes({ connection: { db } }: ApiDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/purchase-orders',
      tag: 'Supply',
      summary: 'List purchase orders',
      description: 'Lists the purchase orders that were placed with suppliers, newest first.',
      example: { answer: pageExample(purchaseOrderExample) },
      scope: 'supply:read',
      query: purchaseOrderQuery,
      answers: { 200: purchaseOrderPage },
      handler: async ({ query }) => {
        const page = pageRequest('purchase_orders', query);
        if (page.kind === 'refused') return page;
        const { status, sku } = query;
        return answer(200, viewPage(await listPurchaseOrders(db, { ...page, status, sku }), viewPurchaseOrder));
      },
    }),
    route({
      method: 'get',
      path: '/api/purchase-orders/:id',
      tag: 'Supply',
      summary: 'Read a purchase order',
      description: 'Returns one purchase order. Once it is `delivered`, its goods are in stock.',
      example: { answer: purchaseOrderExample },
      scope: 'supply:read',
      params: purchaseOrderId,
      answers: { 200: purchaseOrder },
      refusals: ['not_found'],
      handler: async ({ params }) => {
        const found = await getPurchaseOrder(db, params.id);
        return found ? answer(200, viewPurchaseOrder(found)) : refuse('not_found', 'no such purchase order');
      },
    }),
  ];
}
