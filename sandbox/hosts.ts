/**
 * The host names to which a server without keys answers. Another site can point its own name at 127.0.0.1 after its
 * page has loaded (DNS rebinding): the browser then treats our server as part of that site, and its scripts could read
 * and change everything. `Host` has the requested name, and `Origin` the site that sends the request.
 */
import type { IncomingMessage } from 'node:http';

const everywhere = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Returns a check of a request's `Host`, and of its `Origin` if it has one. It allows the names of this machine, the
 * address at which the request arrived, and those in `names`, with any port, since a published port may differ.
 */
export function hostCheck(names: readonly string[] = []): (req: IncomingMessage) => boolean {
  const allowed = new Set([...everywhere, ...names.map((name) => name.toLowerCase())]);
  return (req) => {
    const { host, origin } = req.headers;
    const passes = (name: string | null) => name !== null && (allowed.has(name) || name === ownAddress(req));
    return passes(nameIn(`http://${host}`)) && (origin === undefined || passes(nameIn(origin)));
  };
}

/** The host of a URL that consists of scheme, host and port; null for any other text. */
function nameIn(url: string): string | null {
  if (!/^https?:\/\/[\w.:[\]-]+$/.test(url) || !URL.canParse(url)) return null;
  return new URL(url).hostname.replace(/\.$/, '');
}

function ownAddress({ socket }: IncomingMessage): string {
  const address = (socket.localAddress ?? '').replace(/^::ffff:/, '');
  return address.includes(':') ? `[${address}]` : address;
}
