/**
 * Card tokens: names that a processor gives to cards, in place of their numbers. Every part that accepts or hides a token
 * uses the rules here.
 */
import { type GatewayName, gatewayNames } from './gateways.js';

export const maxTokenLength = 255;

/** The prefixes of a processor's tokens. */
const prefixes: Readonly<Record<GatewayName, readonly string[]>> = { sandbox: ['tok'], stripe: ['tok', 'pm'] };

/** The tokens of some processor, as the API's document shows them. */
export const tokenPattern = /^(?:tok|pm)_[\x21-\x7e]*$/;

/** Whether this processor can charge such a token. */
export function isTokenOf(gateway: GatewayName, value: unknown): value is string {
  if (typeof value !== 'string' || value.length > maxTokenLength || !tokenPattern.test(value)) return false;
  return prefixes[gateway].includes(value.slice(0, value.indexOf('_')));
}

/** Whether some processor can charge such a token. */
export function isCardToken(value: unknown): value is string {
  return gatewayNames.some((gateway) => isTokenOf(gateway, value));
}

/** How this processor's tokens look, for people: `tok_… or pm_…`. */
export function tokensOf(gateway: GatewayName): string {
  return prefixes[gateway].map((prefix) => `${prefix}_…`).join(' or ');
}

/** A token, or what follows `_secret_` in a client secret, within a text. Bounded, so that a long text takes linear time. */
const secrets = /((?<![A-Za-z0-9])(?:tok|pm)_|_secret_)[\x21-\x7e]{1,255}/g;

/** The text without card tokens and client secrets: `tok_…`, `pm_…`, `pi_1_secret_…`. */
export function withoutTokens(text: string): string {
  return text.replace(secrets, '$1…');
}
