/** What a card processor answers. The gateways of all providers speak this language. */

export type CardRefusal = {
  readonly kind: 'declined';
  readonly code: 'payment_declined' | 'insufficient_funds';
  readonly declineCode: string;
};
export type AuthorizeAnswer = { readonly kind: 'authorized'; readonly authorizationId: string } | CardRefusal;
export type CaptureAnswer = { readonly kind: 'captured' } | CardRefusal;
