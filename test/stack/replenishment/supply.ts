/** Products with scripted suppliers, and the calls those suppliers got. */
import { randomUUID } from 'node:crypto';
import { eventually, type Shop } from '../../shop.js';

export interface SupplyRequest {
  readonly stock?: number;
  /** Null: never automatically. */
  readonly reorderPoint?: number | null;
  readonly maxStock?: number | null;
  /** Per order. */
  readonly min?: number;
  readonly max?: number;
  readonly active?: boolean;
}

export interface Script {
  readonly availability?: { available: boolean; quantity: number } | 'timeout' | 'malformed' | 'error';
  readonly order?: 'ok' | 'error' | 'lost' | 'timeout' | 'malformed';
  readonly delivery?: readonly string[];
  readonly cancel?: 'ok' | 'error';
}

/** One call, as the supplier recorded it. */
export interface SupplierCall {
  readonly kind: string;
  readonly quantity: number | null;
  readonly idempotencyKey: string | null;
  readonly outcome: string;
}

/** The suppliers' price for one unit, in minor units. */
export const supplierPrice = 310;

export class Supply {
  constructor(
    readonly shop: Shop,
    private readonly sandboxUrl: string,
  ) {}

  /** Creates a product with its own scripted supplier. Returns its SKU. */
  async product(request: SupplyRequest = {}, script: Script = {}): Promise<string> {
    const { stock = 4, reorderPoint = null, maxStock = 20, min = 1, max = 1000, active = true } = request;
    const sku = `R-${randomUUID().slice(0, 13)}`;
    await this.script(sku, script);
    const supplier = { name: 'Test supplier', active, minOrderQuantity: min, maxOrderQuantity: max };
    const { body } = await this.shop.must(201, this.shop.post('/api/suppliers', supplier));
    const product = { sku, name: 'Supplied', price: { amount: 1000, currency: 'USD' }, supplierId: body.id };
    const terms = { supplierPrice: { amount: supplierPrice, currency: 'USD' } };
    await this.shop.must(201, this.shop.post('/api/products', { ...product, ...terms, reorderPoint, maxStock }));
    if (stock > 0) await this.shop.must(201, this.shop.post(`/api/inventory/${sku}/receipts`, { quantity: stock }));
    return sku;
  }

  async script(sku: string, script: Script): Promise<void> {
    const response = await fetch(`${this.sandboxUrl}/suppliers/script/${sku}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(script),
    });
    if (!response.ok) throw new Error(`the script was refused: ${await response.text()}`);
  }

  /** The calls to the supplier about a SKU, oldest first. */
  async calls(sku: string, kind?: string): Promise<SupplierCall[]> {
    const response = await fetch(`${this.sandboxUrl}/suppliers/calls?sku=${sku}`);
    const calls = (await response.json()) as SupplierCall[];
    return kind === undefined ? calls : calls.filter((call) => call.kind === kind);
  }

  /** Starts a replenishment, or joins the running one. Returns its id. */
  async replenish(sku: string): Promise<string> {
    const { body } = await this.shop.must(202, this.shop.post('/api/replenishments', { sku }));
    return body.id;
  }

  async replenishment(id: string) {
    return (await this.shop.must(200, this.shop.get(`/api/replenishments/${id}`))).body;
  }

  /** Waits for the end of a replenishment and returns it. */
  async ended(id: string) {
    return eventually(`${id} to be over`, async () => {
      const found = await this.replenishment(id);
      return found.status !== 'running' && found;
    });
  }

  /** All replenishments of a SKU, newest first. */
  async replenishments(sku: string) {
    return (await this.shop.must(200, this.shop.get(`/api/replenishments?sku=${sku}`))).body.items;
  }

  /** All purchase orders of a SKU, newest first. */
  async purchaseOrders(sku: string) {
    return (await this.shop.must(200, this.shop.get(`/api/purchase-orders?sku=${sku}`))).body.items;
  }

  /** A SKU's receipts from deliveries, newest first. */
  async deliveries(sku: string): Promise<{ onHandDelta: number; reference: string; at: string }[]> {
    const { body } = await this.shop.must(200, this.shop.get(`/api/inventory/${sku}/movements`));
    return body.items.filter(({ reference }: { reference: string | null }) => reference?.startsWith('po_'));
  }

  async onHand(sku: string): Promise<number> {
    return (await this.shop.stock(sku)).onHand;
  }

  /** The open and closed reviews about a SKU at `main`. */
  async reviews(sku: string) {
    const { body } = await this.shop.must(200, this.shop.get('/api/reviews?limit=200'));
    return body.items.filter(({ subject }: { subject: string }) => subject === `replenishment/${sku}/main`);
  }
}
