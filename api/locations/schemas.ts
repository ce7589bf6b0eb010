import { z } from 'zod';
import { maxNameLength } from '../../domain/limits.js';
import type { Shape } from '../http/route.js';
import { createdAt, locationCode, pageOf, pageQuery, text } from '../http/schemas.js';

export const locationQuery = z.strictObject(pageQuery);
const name = text(maxNameLength).openapi({ description: 'Its name.', example: 'Warehouse Berlin' });

export const newLocation = z.strictObject({ code: locationCode, name });

export const location = z
  .object({ code: locationCode, name, createdAt })
  .openapi('Location', { description: 'A place that keeps stock.' });
export type Location = Shape<typeof location>;

export const locationPage = pageOf('Location', location);
