/**
 * A shop under test: the real API over HTTP, with builders for what a test needs first. Every product, customer and key is
 * new, so that tests can share a stack.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** An answer of the API. `body` is typed loosely, because each test asserts the figures it expects. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: JSON from outside; each test asserts the members that it reads
  readonly body: any;
}

export interface StackAddress {
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly sandboxUrl: string;
}

export interface OrderRequest {
  readonly lines?: readonly { sku: string; quantity: number; location?: string }[];
  readonly customer?: { id?: string; name?: string; email?: string };
  readonly payment?: { cardToken: string; backupCardToken?: string } | { method: 'external' };
  readonly confirm?: boolean;
}

/** How long a wait for a condition may take. Generous, because machines are slow and noisy. */
const patienceMs = 60_000;

export class Shop {
  constructor(private readonly stack: StackAddress) {}

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.stack.apiUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.stack.apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
  }

  get = (path: string) => this.call('GET', path);
  post = (path: string, body?: unknown, headers?: Record<string, string>) => this.call('POST', path, body, headers);

  /** Creates a product with this quantity on hand at `main`. Returns its SKU. */
  async product(stock: number, price = 1000, currency = 'USD'): Promise<string> {
    const sku = `T-${randomUUID().slice(0, 13)}`;
    await this.must(201, this.post('/api/products', { sku, name: 'Test product', price: { amount: price, currency } }));
    if (stock > 0) await this.must(201, this.post(`/api/inventory/${sku}/receipts`, { quantity: stock }));
    return sku;
  }

  /** Creates a product with this quantity on hand and its own scripted supplier. Returns its SKU. */
  async supplied(stock: number, script: object = {}): Promise<string> {
    const sku = await this.product(stock);
    const supplier = { name: 'Test supplier', active: true, minOrderQuantity: 1, maxOrderQuantity: 1_000_000 };
    const { body } = await this.must(201, this.post('/api/suppliers', supplier));
    await this.must(200, this.call('PATCH', `/api/products/${sku}`, { supplierId: body.id }));
    await this.script(sku, script);
    return sku;
  }

  /** Scripts the suppliers of a SKU from now on. Calls that the script leaves out succeed. */
  async script(sku: string, script: object): Promise<void> {
    const url = `${this.stack.sandboxUrl}/suppliers/script/${encodeURIComponent(sku)}`;
    const answer = await fetch(url, { method: 'PUT', body: JSON.stringify(script) });
    if (answer.status !== 200) throw new Error(`the script was refused: ${await answer.text()}`);
  }

  /** The calls to suppliers about a SKU, oldest first. */
  async supplierCalls(sku: string): Promise<SupplierEntry[]> {
    const response = await fetch(`${this.stack.sandboxUrl}/suppliers/calls?sku=${encodeURIComponent(sku)}`);
    return (await response.json()) as SupplierEntry[];
  }

  /** Opens an order and waits up to 30 s for the first decision. */
  order(request: OrderRequest, headers: Record<string, string> = {}): Promise<Answer> {
    return this.post('/api/orders', request, { prefer: 'wait=30', ...headers });
  }

  /** Reserves an order of one line. Returns its id. */
  async reserved(sku: string, quantity = 1, more: OrderRequest = {}): Promise<string> {
    const { body } = await this.must(201, this.order({ lines: [{ sku, quantity }], ...more }));
    return body.id;
  }

  confirm(orderId: string, cardToken?: string): Promise<Answer> {
    const body = cardToken === undefined ? {} : { payment: { cardToken } };
    return this.post(`/api/orders/${orderId}/confirm`, body, { prefer: 'wait=30' });
  }

  cancel(orderId: string, reason = 'changed my mind'): Promise<Answer> {
    return this.post(`/api/orders/${orderId}/cancel`, { reason }, { prefer: 'wait=30' });
  }

  async statusOf(orderId: string): Promise<string> {
    return (await this.must(200, this.get(`/api/orders/${orderId}`))).body.status;
  }

  async stock(sku: string): Promise<{ onHand: number; reserved: number; available: number }> {
    const { body } = await this.must(200, this.get(`/api/inventory/${sku}`));
    return { onHand: body.onHand, reserved: body.reserved, available: body.available };
  }

  /** The statuses of an order so far, oldest first. */
  async path(orderId: string): Promise<string[]> {
    const { body } = await this.must(200, this.get(`/api/orders/${orderId}/timeline`));
    const entries: { from: string | null; to: string }[] = body.items;
    return entries.filter(({ from, to }) => from !== to).map(({ to }) => to);
  }

  /** The timeline entries about ignored signals. */
  async notes(orderId: string): Promise<string[]> {
    const { body } = await this.must(200, this.get(`/api/orders/${orderId}/timeline`));
    return body.items.flatMap(({ reason }: { reason: string | null }) =>
      reason?.startsWith('signal ') ? [reason] : [],
    );
  }

  /** The card processor's books for one order or payment. */
  async books(reference: string): Promise<ProcessorEntry[]> {
    const response = await fetch(`${this.stack.sandboxUrl}/payments?reference=${encodeURIComponent(reference)}`);
    return (await response.json()) as ProcessorEntry[];
  }

  async mailTo(address: string): Promise<{ subject: string; text: string }[]> {
    const response = await fetch(`${this.stack.sandboxUrl}/mail?to=${encodeURIComponent(address)}`);
    return (await response.json()) as { subject: string; text: string }[];
  }

  /** Starts a verification of the whole ledger and returns its result. */
  async verified(): Promise<{ clean: boolean; differences: unknown[] }> {
    const { body: begun } = await eventually('a verification to begin', async () => {
      const answer = await this.post('/api/ledger/verifications', {}, { prefer: 'wait=30' });
      return (answer.status === 201 || answer.status === 202) && answer;
    });
    return await eventually('the verification to end', async () => {
      const { status, body } = await this.get(`/api/ledger/verifications/${begun.id}`);
      return status === 200 && body.status === 'completed' && { clean: body.clean, differences: body.differences };
    });
  }

  async must(status: number, answer: Promise<Answer>): Promise<Answer> {
    const got = await answer;
    if (got.status !== status) throw new Error(`expected ${status}, got ${got.status}: ${JSON.stringify(got.body)}`);
    return got;
  }
}

export interface SupplierEntry {
  readonly kind: string;
  readonly outcome: string;
  readonly quantity: number | null;
  readonly idempotencyKey: string | null;
  readonly ref: string | null;
  readonly at: string;
}

export interface ProcessorEntry {
  readonly authorizationId: string;
  readonly token: string;
  readonly amount: number;
  readonly status: 'authorized' | 'captured' | 'voided' | 'declined';
  readonly captured: number;
  readonly refunded: number;
  readonly voided: boolean;
  readonly calls: readonly { kind: string; idempotencyKey: string }[];
}

/** Open authorizations, and captured minus refunded, at the processor, in minor units. */
export function holdings(books: readonly ProcessorEntry[]): { open: number; net: number } {
  return {
    open: books.filter(({ status }) => status === 'authorized').length,
    net: books.reduce((sum, { captured, refunded }) => sum + captured - refunded, 0),
  };
}

/** Polls until `look` returns something other than undefined or false. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = patienceMs,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await sleep(50);
  } while (Date.now() < deadline);
  throw new Error(`timed out after ${timeoutMs} ms waiting for: ${what}${lastError ? ` (${String(lastError)})` : ''}`);
}

export function newEmail(): string {
  return `buyer-${randomUUID()}@example.com`;
}
