/** Shapes that several parts of the API's answers have. */
import { z } from 'zod';

export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export const failure = z.object({ code: z.string(), detail: z.string() });
export const money = z.object({ amount: z.number(), currency: z.string() });
