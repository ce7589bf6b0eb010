/**
 * Which names a server without keys answers to. A page of another site may have its own name lead to 127.0.0.1 once it is
 * loaded (DNS rebinding): to the browser our server is then a part of that site, and its scripts could read and change
 * everything. The name that was asked for stands in `Host`, and the site that a request comes from in `Origin`.
 */
import type { IncomingMessage } from 'node:http';

const everywhere = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Returns a check of a request's `Host`, and of its `Origin` where it has one. It passes the names of this machine, the
 * address that the request came in at, and those in `names`, with any port: a published port may be another one.
 */
export function hostCheck(names: readonly string[] = []): (req: IncomingMessage) => boolean {
  const allowed = new Set([...everywhere, ...names.map((name) => name.toLowerCase())]);
  return (req) => {
    const { host, origin } = req.headers;
    const passes = (name: string | null) => name !== null && (allowed.has(name) || name === ownAddress(req));
    return passes(nameIn(`http://${host}`)) && (origin === undefined || passes(nameIn(origin)));
  };
}

/** The host in a URL that has nothing but a scheme, a host and a port; null where it is another text. */
function nameIn(url: string): string | null {
  if (!/^https?:\/\/[\w.:[\]-]+$/.test(url) || !URL.canParse(url)) return null;
  return new URL(url).hostname.replace(/\.$/, '');
}

function ownAddress({ socket }: IncomingMessage): string {
  const address = (socket.localAddress ?? '').replace(/^::ffff:/, '');
  return address.includes(':') ? `[${address}]` : address;
}
