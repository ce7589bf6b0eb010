/** Locations: where goods are. */
import { createLocation, type LocationRow, listLocations } from '../../db/catalogue/queries.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { answer, refuse } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { locationExample, pageExample } from '../openapi/examples/catalogue.js';
import { type Location, location, locationPage, locationQuery, newLocation } from './schemas.js';

export function locationRoutes({ connection: { db } }: ApiDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/locations',
      tag: 'Catalogue',
      summary: 'Add a location',
      description: 'Adds a place that keeps stock. `main` exists from the start and is the default location.',
      example: { body: { code: 'berlin', name: 'Warehouse Berlin' }, answer: locationExample },
      scope: 'inventory:write',
      body: newLocation,
      answers: { 201: location },
      refusals: ['already_exists'],
      handler: async ({ body, ids, caller }) => {
        const made = await createLocation(db, { ...body, createdBy: `api/${ids.update}` }, caller);
        return made
          ? answer(201, viewLocation(made))
          : refuse('already_exists', `location ${body.code} already exists`, { location: body.code });
      },
    }),
    route({
      method: 'get',
      path: '/api/locations',
      tag: 'Catalogue',
      summary: 'List locations',
      description: 'Lists the locations, newest first.',
      example: { answer: pageExample(locationExample) },
      scope: 'inventory:read',
      query: locationQuery,
      answers: { 200: locationPage },
      handler: async ({ query }) => {
        const page = pageRequest('locations', query);
        return page.kind === 'refused' ? page : answer(200, viewPage(await listLocations(db, page), viewLocation));
      },
    }),
  ];
}

function viewLocation({ code, name, createdAt }: LocationRow): Location {
  return { code, name, createdAt };
}
