/**
 * Which addresses a client may make us call. They must be on the public Internet, or the operator allows them: a client must
 * not reach loopback, private networks or a cloud's metadata service through us. A host name is judged by the address that
 * it resolves to when the connection is made.
 */
import ipaddr from 'ipaddr.js';
import { holdsCardNumber } from './cards/numbers.js';

/** A host that the operator allows at any address. */
export interface AllowedHost {
  /** As in `URL.hostname`, an IPv6 address without its brackets. */
  readonly host: string;
  /** Null: any port. */
  readonly port: number | null;
}

/** The destination of a connection: the URL's host, and the port. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

export type ClientUrl =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'wrong'; readonly detail: string };

const port = '[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]';
const hostName = '(?:[A-Za-z0-9_-]+\\.)*[A-Za-z][A-Za-z0-9_-]*\\.?';
const ipv4 = '(?:[0-9]{1,3}\\.){3}[0-9]{1,3}';
const pathCharacter = "[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2}";

/** An http or https URI without user, query and fragment: the pattern of the published schema. */
export const clientUrlPattern = `^[hH][tT][tT][pP][sS]?://(?:${hostName}|${ipv4}|\\[[0-9A-Fa-f:.]+\\])(?::(?:${port}))?(?:/(?:${pathCharacter})*)?$`;
const clientUrl = new RegExp(clientUrlPattern);
export const maxClientUrlLength = 500;

/** Whether the text is such a URL, regardless of its destination. */
export function isClientUrl(text: string): boolean {
  return text.length <= maxClientUrlLength && clientUrl.test(text) && URL.canParse(text);
}
export const notAClientUrl = 'must be an http or https URL without user, query, fragment and spaces';

/**
 * The URL in the form that is stored: as `new URL` writes it, a bare origin without its final slash. `wrong` where it is no
 * such URL, or where its host is an address that may not be called.
 */
export function parseClientUrl(text: string, allowed: readonly AllowedHost[]): ClientUrl {
  if (!isClientUrl(text)) return wrong(notAClientUrl);
  const url = new URL(text);
  const normalized = url.pathname === '/' ? url.origin : url.href;
  if (normalized.length > maxClientUrlLength) return wrong(`must not be longer than ${maxClientUrlLength} characters`);
  if (holdsCardNumber(normalized) || holdsCardNumber(unescaped(normalized)))
    return wrong('must not hold what looks like a card number');
  const destination = destinationOf(url);
  const addresses = plainAddresses(destination.host);
  if (addresses.length > 0 && !addresses.some((address) => mayConnect(allowed, destination, address)))
    return wrong('must be an address on the public Internet, or a host that GATEWAY_ALLOW_HOSTS names');
  return { kind: 'url', url: normalized };
}

const wrong = (detail: string): ClientUrl => ({ kind: 'wrong', detail });

export function destinationOf(url: URL): Destination {
  const defaultPort = url.protocol === 'https:' ? 443 : 80;
  return { host: bareHost(url.hostname), port: url.port === '' ? defaultPort : Number(url.port) };
}

/** Whether we may connect to this address. @param address the destination's host, or the address that it resolved to */
export function mayConnect(allowed: readonly AllowedHost[], destination: Destination, address: string): boolean {
  return (
    isPublicAddress(address) ||
    isAllowedHost(allowed, destination) ||
    isAllowedHost(allowed, { host: address, port: destination.port })
  );
}

/** Whether the text is an address of the public Internet. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  // Only this block of IPv6 is global unicast (RFC 4291); the library also calls unassigned blocks unicast.
  return parsed instanceof ipaddr.IPv4 || parsed.match(globalUnicast);
}

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Parses `host` or `host:port`, with an IPv6 address in brackets; null where the text is neither. */
export function parseAllowedHost(text: string): AllowedHost | null {
  const parts = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?$/.exec(text);
  const [, host = '', portText] = parts ?? [];
  const number = portText === undefined ? null : Number(portText);
  if (parts === null || (number !== null && (number < 1 || number > 65_535))) return null;
  if (!URL.canParse(`http://${host}`)) return null;
  return { host: bareHost(new URL(`http://${host}`).hostname), port: number };
}

function isAllowedHost(allowed: readonly AllowedHost[], { host, port }: Destination): boolean {
  return allowed.some((entry) => entry.host === host && (entry.port === null || entry.port === port));
}

/** The addresses of a host that are known without asking a resolver. */
function plainAddresses(host: string): readonly string[] {
  if (ipaddr.isValid(host)) return [host];
  return host === 'localhost' || host.endsWith('.localhost') ? ['127.0.0.1', '::1'] : [];
}

/** The text with its percent escapes decoded one by one, so that a broken one does not hide the others. */
function unescaped(url: string): string {
  return url.replace(/%[0-9A-Fa-f]{2}/g, (octet) => String.fromCharCode(Number.parseInt(octet.slice(1), 16)));
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
