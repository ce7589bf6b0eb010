/**
 * The only module that connects to addresses set by clients. It checks the address that a name resolves to and connects
 * to exactly that address, so that a name cannot change its target in between. It follows no redirects and uses no
 * proxy. It closes connections to origins that are no longer called.
 */
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { type AllowedHost, type Destination, destinationOf, mayConnect } from '../../domain/addresses.js';
import { GatewayFault } from './fault.js';
import { type CallOptions, createHttpGateway, type HttpAnswer, type HttpCall, type HttpGateway } from './http.js';

export interface ClientHttpOptions {
  /** The time limit of a whole call, unless the call sets its own. */
  readonly timeoutMs: number;
  /** Hosts that may be called even at addresses that are not public. */
  readonly allowed: readonly AllowedHost[];
  /** Origins with open connections. More are allowed only while calls to them are in flight. */
  readonly maxOrigins?: number;
  /** Connections to an origin are closed after this time without calls. */
  readonly idleMs?: number;
}

export interface ClientHttp {
  /**
   * Makes the call once, at the path of `url` followed by the call's own path. Throws GatewayFault `unreachable` if the
   * address may not be called or does not accept a connection.
   */
  call(url: string, call: HttpCall, options?: CallOptions): Promise<HttpAnswer>;
  /** The number of origins with open connections. */
  readonly origins: number;
  close(): Promise<void>;
}

interface Origin {
  readonly gateway: HttpGateway;
  callsInFlight: number;
  forget: NodeJS.Timeout | undefined;
}

const defaultMaxOrigins = 256;
const defaultIdleMs = 60_000;

/** @param name of the gateway, for faults */
export function createClientHttp(name: string, options: ClientHttpOptions): ClientHttp {
  const { timeoutMs, allowed, maxOrigins = defaultMaxOrigins, idleMs = defaultIdleMs } = options;
  /** Least recently called first. */
  const origins = new Map<string, Origin>();

  const forget = (key: string, origin: Origin): Promise<void> => {
    clearTimeout(origin.forget);
    origins.delete(key);
    return origin.gateway.close();
  };

  const makeRoom = () => {
    for (const [key, origin] of origins) {
      if (origins.size < maxOrigins) return;
      if (origin.callsInFlight === 0) void forget(key, origin);
    }
  };

  const originOf = (url: URL): Origin => {
    const known = origins.get(url.origin);
    if (known === undefined) makeRoom();
    const origin = known ?? newOrigin(url);
    origins.delete(url.origin);
    origins.set(url.origin, origin);
    return origin;
  };

  const newOrigin = (url: URL): Origin => {
    const connector = checkedConnector(allowed, destinationOf(url), timeoutMs);
    const gateway = createHttpGateway(name, { baseUrl: url.origin, timeoutMs, connector });
    return { gateway, callsInFlight: 0, forget: undefined };
  };

  return {
    async call(url, call, callOptions) {
      if (!URL.canParse(url)) throw new GatewayFault(name, 'unreachable', 'the address is not a URL');
      const target = new URL(url);
      if (target.protocol !== 'http:' && target.protocol !== 'https:')
        throw new GatewayFault(name, 'unreachable', 'the address is not an HTTP URL');
      const origin = originOf(target);
      clearTimeout(origin.forget);
      origin.callsInFlight++;
      try {
        const path = target.pathname.replace(/\/$/, '') + call.path;
        return await origin.gateway.call({ ...call, path }, callOptions);
      } finally {
        origin.callsInFlight--;
        if (origin.callsInFlight === 0)
          origin.forget = setTimeout(() => void forget(target.origin, origin), idleMs).unref();
      }
    },
    get origins() {
      return origins.size;
    },
    close: async () => {
      await Promise.all([...origins].map(([key, origin]) => forget(key, origin)));
    },
  };
}

/** Connects to the destination only if its address may be called. */
function checkedConnector(
  allowed: readonly AllowedHost[],
  destination: Destination,
  timeoutMs: number,
): buildConnector.connector {
  const permits = (address: string) => mayConnect(allowed, destination, address);
  // Node connects only to the addresses that this returns.
  const checkedLookup: LookupFunction = (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, []);
      const permitted = found.filter(({ address }) => permits(address));
      const [first] = permitted;
      if (first === undefined) return done(notAllowed(hostname), []);
      if (options.all) done(null, permitted);
      else done(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ timeout: timeoutMs, lookup: checkedLookup });
  return (options, callback) => {
    // Node does not look up a host that is already an address.
    if (isIP(destination.host) !== 0 && !permits(destination.host)) callback(notAllowed(destination.host), null);
    else connect(options, callback);
  };
}

function notAllowed(host: string): Error {
  return new Error(`${host} leads to an address that may not be called`);
}
