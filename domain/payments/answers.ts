/** The answers of a card processor, the same for every provider's gateway. */

export type CardRefusal = {
  readonly kind: 'declined';
  readonly code: 'payment_declined' | 'insufficient_funds';
  readonly declineCode: string;
  /** The bank says not to try the card again, for a reason that may not be shown. */
  readonly final?: true;
};
export type AuthorizeAnswer = { readonly kind: 'authorized'; readonly authorizationId: string } | CardRefusal;
export type CaptureAnswer = { readonly kind: 'captured' } | CardRefusal;
