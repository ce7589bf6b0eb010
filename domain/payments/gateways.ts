/** The card processors that payments can be made at. */
export const gatewayNames = ['sandbox', 'stripe'] as const;
export type GatewayName = (typeof gatewayNames)[number];

/** Those that this release has a client for (gateways/payment/registry.ts). */
export const availableGateways: readonly GatewayName[] = ['sandbox'];
