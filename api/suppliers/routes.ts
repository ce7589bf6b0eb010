/** Suppliers: replenishment and orders that are short of stock order from them. */
import {
  createSupplier,
  getSupplier,
  listSuppliers,
  patchSupplier,
  type SupplierRow,
} from '../../db/supply/suppliers.js';
import { parseClientUrl } from '../../domain/addresses.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer, type Refused, refuse, refuseFields } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageExample, supplierExample } from '../openapi/examples/catalogue.js';
import {
  newSupplier,
  type Supplier,
  supplier,
  supplierPage,
  supplierPatch,
  supplierPath,
  supplierQuery,
} from './schemas.js';

export function supplierRoutes({ connection: { db }, settings }: ApiDeps): Route[] {
  /** The body with its URL, if it has one, in stored form. */
  const withStoredUrl = <Body extends { readonly url?: string | null | undefined }>(
    body: Body,
  ): { readonly kind: 'fields'; readonly fields: Body } | Refused => {
    if (body.url === undefined || body.url === null) return { kind: 'fields', fields: body };
    const parsed = parseClientUrl(body.url, settings.gatewayAllowHosts);
    if (parsed.kind === 'url') return { kind: 'fields', fields: { ...body, url: parsed.url } };
    return refuseFields('validation_failed', [{ pointer: '/url', code: 'invalid', detail: parsed.detail }]);
  };

  return [
    route({
      method: 'post',
      path: '/api/suppliers',
      tag: 'Catalogue',
      summary: 'Add a supplier',
      description:
        'Adds a supplier. Set it as the `supplierId` of a product: replenishment, and orders that are short of stock, then order from it.',
      example: {
        body: { name: 'Cotton & Sons', active: true, minOrderQuantity: 10, maxOrderQuantity: 500 },
        answer: supplierExample,
      },
      scope: 'supply:write',
      creates: 'sup',
      body: newSupplier,
      answers: { 201: supplier },
      refusals: ['already_exists'],
      handler: async ({ body, ids, caller }) => {
        const id = body.id ?? ids.resource;
        const checked = withStoredUrl(body);
        if (checked.kind === 'refused') return checked;
        const made = await createSupplier(db, { ...checked.fields, id, createdBy: `api/${ids.update}` }, caller);
        if (!made) return refuse('already_exists', `supplier ${id} already exists`, { supplierId: id });
        return answer(201, viewSupplier(made), { Location: `/api/suppliers/${id}` });
      },
    }),
    route({
      method: 'get',
      path: '/api/suppliers',
      tag: 'Catalogue',
      summary: 'List suppliers',
      description: 'Lists the suppliers, newest first.',
      example: { answer: pageExample(supplierExample) },
      scope: 'supply:read',
      query: supplierQuery,
      answers: { 200: supplierPage },
      handler: async ({ query }) => {
        const page = pageRequest('suppliers', query);
        return page.kind === 'refused' ? page : answer(200, viewPage(await listSuppliers(db, page), viewSupplier));
      },
    }),
    route({
      method: 'get',
      path: '/api/suppliers/:id',
      tag: 'Catalogue',
      summary: 'Read a supplier',
      description: 'Returns one supplier.',
      example: { answer: supplierExample },
      scope: 'supply:read',
      params: supplierPath,
      answers: { 200: supplier },
      refusals: ['not_found'],
      handler: async ({ params }) => {
        const found = await getSupplier(db, params.id);
        return found ? answer(200, viewSupplier(found)) : refuse('not_found', 'no such supplier');
      },
    }),
    route({
      method: 'patch',
      path: '/api/suppliers/:id',
      tag: 'Catalogue',
      summary: 'Change a supplier',
      description:
        'Changes the fields in the body and leaves the others as they are. `active: false` stops new orders to the supplier; orders in flight continue.',
      example: { body: { active: false }, answer: { ...supplierExample, active: false } },
      scope: 'supply:write',
      params: supplierPath,
      body: supplierPatch,
      answers: { 200: supplier },
      refusals: ['not_found'],
      handler: async ({ params, body, caller }) => {
        const checked = withStoredUrl(body);
        if (checked.kind === 'refused') return checked;
        const changed = await patchSupplier(db, params.id, checked.fields, caller);
        if (changed.kind === 'supplier') return answer(200, viewSupplier(changed.supplier));
        if (changed.kind === 'not_found') return refuse('not_found', 'no such supplier');
        return refuseFields('validation_failed', [
          { pointer: '/maxOrderQuantity', code: 'invalid', detail: 'must not be below minOrderQuantity' },
        ]);
      },
    }),
  ];
}

function viewSupplier(row: SupplierRow): Supplier {
  return {
    id: row.id,
    name: row.name,
    active: row.active,
    minOrderQuantity: row.minOrderQuantity,
    maxOrderQuantity: row.maxOrderQuantity,
    url: row.url,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
