/** What an order carries besides its goods and its money: kept as given, and shown again. */

export interface PostalAddress {
  readonly name?: string;
  readonly company?: string;
  readonly line1: string;
  readonly line2?: string;
  readonly city: string;
  readonly region?: string;
  readonly postalCode?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly phone?: string;
}

export interface OrderDetails {
  readonly shippingAddress: PostalAddress | null;
  readonly billingAddress: PostalAddress | null;
  /** The client's own id: unique among the orders of a channel that did not fail. */
  readonly externalReference: string | null;
  /** The shop that it came from; null: our own API. */
  readonly channel: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly note: string | null;
}

/** What a client may change at any time. An absent field keeps its value; null clears it. */
export interface OrderChange {
  readonly metadata?: OrderDetails['metadata'] | undefined;
  readonly tags?: OrderDetails['tags'] | undefined;
  readonly note?: OrderDetails['note'] | undefined;
  readonly shippingAddress?: OrderDetails['shippingAddress'] | undefined;
}
