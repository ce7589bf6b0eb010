/** The states of a product. */

/** Only an `active` product accepts new orders, lines and reservations. A `draft` has never been for sale. */
export const productStatuses = ['draft', 'active', 'archived'] as const;
export type ProductStatus = (typeof productStatuses)[number];
