/** A test's own supplier over HTTP that answers whatever the test wants. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The kinds of calls. The sandbox's suppliers have the same paths. */
type SupplierCall =
  | 'reserve'
  | 'find_reservation'
  | 'status'
  | 'cancel_reservation'
  | 'availability'
  | 'order'
  | 'find_order'
  | 'order_status'
  | 'cancel_order';

/** A body to send as JSON, raw text, or a function that answers by itself. */
export type SupplierAnswer = { readonly json: unknown; readonly status?: number } | ((res: ServerResponse) => void);

export interface HostileSupplier {
  readonly url: string;
  /** The calls it got, oldest first. */
  readonly calls: SupplierCall[];
  /** Answers that replace the valid ones. */
  answers: Partial<Record<SupplierCall, SupplierAnswer>>;
  close(): void;
}

export async function hostileSupplier(answers: HostileSupplier['answers'] = {}): Promise<HostileSupplier> {
  const calls: SupplierCall[] = [];
  const server = createServer((req, res) => {
    const call = callOf(req);
    calls.push(call);
    const answer = supplier.answers[call] ?? good[call];
    if (typeof answer === 'function') answer(res.on('error', () => undefined));
    else res.writeHead(answer.status ?? 200).end(JSON.stringify(answer.json));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const supplier: HostileSupplier = {
    url: `http://127.0.0.1:${port}`,
    calls,
    answers,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return supplier;
}

const unknown = { status: 404, json: { error: { code: 'unknown' } } };
const good: Readonly<Record<SupplierCall, SupplierAnswer>> = {
  reserve: { status: 201, json: { accepted: true, ref: 'good-ref' } },
  find_reservation: unknown,
  status: { json: { status: 'delayed' } },
  cancel_reservation: { json: {} },
  availability: { json: { available: true, quantity: 1000 } },
  order: { status: 201, json: { id: 'good-order', status: 'ordered' } },
  find_order: unknown,
  order_status: { json: { id: 'good-order', status: 'ordered' } },
  cancel_order: { json: {} },
};

function callOf({ method = '', url = '' }: IncomingMessage): SupplierCall {
  const [path = '', query] = url.split('?');
  if (path === '/supplier/availability') return 'availability';
  const orders = path.startsWith('/supplier/orders');
  if (method === 'POST') return orders ? 'order' : 'reserve';
  if (method === 'DELETE') return orders ? 'cancel_order' : 'cancel_reservation';
  if (query !== undefined) return orders ? 'find_order' : 'find_reservation';
  return orders ? 'order_status' : 'status';
}
