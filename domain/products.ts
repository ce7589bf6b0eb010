/** The states of a product. */

/** Only an `active` product takes new orders, lines and reservations; a `draft` was never for sale. */
export const productStatuses = ['draft', 'active', 'archived'] as const;
export type ProductStatus = (typeof productStatuses)[number];
