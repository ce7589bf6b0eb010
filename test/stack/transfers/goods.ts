/** Builders for tests of transfers between two locations, and queries for where the goods are. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../../db/postgres/client.js';
import { createLedger } from '../../../db/stock/ledger.js';
import type { StockCommand } from '../../../domain/stock.js';
import { type Answer, eventually, type Shop } from '../../shop.js';

export interface TransferRequest {
  readonly sku: string;
  readonly quantity: number;
  readonly from: string;
  readonly to: string;
  readonly mode?: 'immediate' | 'shipped';
}

/** A new location. Returns its code. */
export async function location(shop: Shop): Promise<string> {
  const code = `L-${randomUUID().slice(0, 13)}`;
  await shop.must(201, shop.post('/api/locations', { code, name: 'Test location' }));
  return code;
}

/** This quantity of a new product at `main`, and an empty location as destination. */
export async function goods(shop: Shop, stock: number): Promise<{ sku: string; from: string; to: string }> {
  return { sku: await shop.product(stock), from: 'main', to: await location(shop) };
}

export function send(shop: Shop, request: TransferRequest, headers: Record<string, string> = {}): Promise<Answer> {
  return shop.post('/api/transfers', request, { prefer: 'wait=30', ...headers });
}

/** Ships goods. Returns the transfer's id. */
export async function shipped(shop: Shop, request: TransferRequest): Promise<string> {
  const { body } = await shop.must(201, send(shop, { ...request, mode: 'shipped' }));
  return body.id;
}

export function receive(shop: Shop, id: string, arrival: { quantity?: number; reason?: string } = {}): Promise<Answer> {
  return shop.post(`/api/transfers/${id}/receive`, arrival, { prefer: 'wait=30' });
}

export function recall(shop: Shop, id: string, reason?: string): Promise<Answer> {
  return shop.post(`/api/transfers/${id}/cancel`, reason === undefined ? {} : { reason }, { prefer: 'wait=30' });
}

/** Waits until the transfer has this status and returns it. */
export async function untilStatus(shop: Shop, id: string, status: string): Promise<Answer['body']> {
  return await eventually(`${id} to be ${status}`, async () => {
    const { body } = await shop.must(200, shop.get(`/api/transfers/${id}`));
    return body.status === status && body;
  });
}

/** On hand and held at each location and in transit. */
export async function whereabouts(shop: Shop, sku: string): Promise<Record<string, number>> {
  const { body } = await shop.must(200, shop.get(`/api/inventory/${sku}`));
  const places: { location: string; onHand: number }[] = body.locations;
  return {
    ...Object.fromEntries(places.map((place) => [place.location, place.onHand])),
    transit: body.inTransit,
    held: body.reserved,
  };
}

/** The SKU's ledger rows for the transfer, oldest first, as `kind location onHandDelta`. */
export async function rowsOf(shop: Shop, sku: string, transferId: string): Promise<string[]> {
  const { body } = await shop.must(200, shop.get(`/api/inventory/${sku}/movements?limit=200`));
  const rows: { kind: string; location: string; onHandDelta: number; reference: string | null; id: string }[] =
    body.items;
  return rows
    .filter(({ reference }) => reference === transferId)
    .sort((a, b) => Number(a.id.slice(4)) - Number(b.id.slice(4)))
    .map((row) => `${row.kind} ${row.location} ${row.onHandDelta}`);
}

export async function booksAgree(shop: Shop): Promise<boolean> {
  return (await shop.verified()).clean;
}

/** The workers' log lines about a transfer. */
export function logOf(home: string, id: string): string {
  const folder = join(home, 'logs');
  const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));
  return lines.filter((line) => line.includes(`transfer/${id}`)).join('\n');
}

/** Changes the books by hand, outside any transfer. */
export async function byHand(databaseUrl: string, command: StockCommand): Promise<void> {
  const connection = connect(databaseUrl, { applicationName: 'holdfast test', maxConnections: 1 });
  try {
    const operation = { key: `test/${randomUUID()}`, commands: [command], actor: 'test' };
    const [result] = await createLedger(connection.sql).apply([operation]);
    if (result?.outcome !== 'done') throw new Error(`refused: ${JSON.stringify(result)}`);
  } finally {
    await connection.close();
  }
}
