/** Products. */
import {
  createProduct,
  getProduct,
  listProducts,
  type ProductConflict,
  patchProduct,
} from '../../db/catalogue/queries.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer, type Refused, refuse, refuseFields } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { newProductExample, pageExample, productExample } from '../openapi/examples/catalogue.js';
import { newProduct, product, productPage, productPatch, productQuery, productSku } from './schemas.js';
import { viewProduct } from './view.js';

export function productRoutes({ connection: { db } }: ApiDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/products',
      tag: 'Catalogue',
      summary: 'Add a product',
      description:
        'Adds a product to the catalogue. It has no stock until goods are received. It is `active` unless it is added as a `draft`; drafts cannot be sold.',
      example: { body: newProductExample, answer: productExample },
      scope: 'inventory:write',
      body: newProduct,
      answers: { 201: product },
      refusals: ['already_exists', 'unknown_supplier'],
      handler: async ({ body, ids, caller }) => {
        const made = await createProduct(db, { ...body, createdBy: `api/${ids.update}` }, caller);
        if (made.kind !== 'product') return refuseProduct(made, body.sku);
        return answer(201, viewProduct(made.product), { Location: `/api/products/${body.sku}` });
      },
    }),
    route({
      method: 'get',
      path: '/api/products',
      tag: 'Catalogue',
      summary: 'List products',
      description: 'Lists the products, newest first.',
      example: { answer: pageExample(productExample) },
      scope: 'inventory:read',
      query: productQuery,
      answers: { 200: productPage },
      handler: async ({ query }) => {
        const page = pageRequest('products', query);
        return page.kind === 'refused' ? page : answer(200, viewPage(await listProducts(db, page), viewProduct));
      },
    }),
    route({
      method: 'get',
      path: '/api/products/:sku',
      tag: 'Catalogue',
      summary: 'Read a product',
      description: 'Returns one product.',
      example: { answer: productExample },
      scope: 'inventory:read',
      params: productSku,
      answers: { 200: product },
      refusals: ['not_found'],
      handler: async ({ params }) => {
        const found = await getProduct(db, params.sku);
        return found ? answer(200, viewProduct(found)) : refuse('not_found', 'no such product');
      },
    }),
    route({
      method: 'patch',
      path: '/api/products/:sku',
      tag: 'Catalogue',
      summary: 'Change a product',
      description:
        'Changes the fields in the body and leaves the others as they are. A new price applies to lines added from then on; existing order lines keep their price.',
      example: {
        body: { price: { amount: 2199, currency: 'USD' } },
        answer: { ...productExample, price: { amount: 2199, currency: 'USD' } },
      },
      scope: 'inventory:write',
      params: productSku,
      body: productPatch,
      answers: { 200: product },
      refusals: ['not_found', 'unknown_supplier'],
      handler: async ({ params, body, caller }) => {
        const changed = await patchProduct(db, params.sku, body, caller);
        return changed.kind === 'product'
          ? answer(200, viewProduct(changed.product))
          : refuseProduct(changed, params.sku);
      },
    }),
  ];
}

function refuseProduct({ kind }: ProductConflict, sku: string): Refused {
  switch (kind) {
    case 'already_exists':
      return refuse('already_exists', `product ${sku} already exists`, { sku });
    case 'not_found':
      return refuse('not_found', 'no such product');
    case 'unknown_supplier':
      return refuseFields('unknown_supplier', [
        { pointer: '/supplierId', code: 'unknown_supplier', detail: 'there is no such supplier' },
      ]);
    case 'levels':
      return refuseFields('validation_failed', [
        { pointer: '/maxStock', code: 'invalid', detail: 'must not be below reorderPoint' },
      ]);
  }
}
