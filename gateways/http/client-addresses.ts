/**
 * The only module that connects to an address set by a client. What a name resolves to is checked, and the connection is
 * made to the very address that was checked, so that a name which changes its mind in between leads nowhere else. Redirects
 * are not followed and no proxy is used. Pools of addresses that nobody calls any more are closed.
 */
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { type AllowedHost, type Destination, destinationOf, mayConnect } from '../../domain/addresses.js';
import { GatewayFault } from './fault.js';
import { type CallOptions, createHttpGateway, type HttpAnswer, type HttpCall, type HttpGateway } from './http.js';

export interface ClientHttpOptions {
  /** Time for a whole call, unless the call has its own. */
  readonly timeoutMs: number;
  /** Hosts that may be called although their addresses are not public. */
  readonly allowed: readonly AllowedHost[];
  /** Origins to which connections are kept. More are kept only while calls to them are under way. */
  readonly maxOrigins?: number;
  /** An origin that was not called for so long is forgotten. */
  readonly idleMs?: number;
}

export interface ClientHttp {
  /**
   * Makes the call once, at the path of `url` and the call's own path. An address that may not be called is a GatewayFault
   * `unreachable`, as is one that nobody answers at.
   */
  call(url: string, call: HttpCall, options?: CallOptions): Promise<HttpAnswer>;
  /** Origins to which connections are kept now. */
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

/** @param name the gateway's, for faults */
export function createClientHttp(name: string, options: ClientHttpOptions): ClientHttp {
  const { timeoutMs, allowed, maxOrigins = defaultMaxOrigins, idleMs = defaultIdleMs } = options;
  /** The one that was called longest ago first. */
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
        throw new GatewayFault(name, 'unreachable', 'the address is not one of HTTP');
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

/** Connects to the destination where its address may be called. */
function checkedConnector(
  allowed: readonly AllowedHost[],
  destination: Destination,
  timeoutMs: number,
): buildConnector.connector {
  const permits = (address: string) => mayConnect(allowed, destination, address);
  // Node connects to what this answers, and to nothing else.
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
    // Node asks no resolver about what is an address already.
    if (isIP(destination.host) !== 0 && !permits(destination.host)) callback(notAllowed(destination.host), null);
    else connect(options, callback);
  };
}

function notAllowed(host: string): Error {
  return new Error(`${host} leads to an address that may not be called`);
}
