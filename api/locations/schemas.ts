import { z } from 'zod';
import { locationCode, pageOf, pageQuery, text, time } from '../schemas.js';

export const locationQuery = z.strictObject(pageQuery);
export const newLocation = z.strictObject({ code: locationCode, name: text(200) });

export const location = z.object({ code: z.string(), name: z.string(), createdAt: time }).openapi('Location');

export const locationPage = pageOf('Location', location);
