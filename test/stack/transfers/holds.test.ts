import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { createTransferStore } from '../../../db/transfers/store.js';
import { sharedShop } from '../../shared.js';
import { goods, whereabouts } from './goods.js';

const shop = sharedShop();
const connection = connect(inject('databaseUrl'), { applicationName: 'holdfast test', maxConnections: 1 });
afterAll(() => connection.close());

describe('the hold of a transfer', () => {
  test.each(['confirm', 'cancel'])('can only be decided by the transfer: %s is refused', async (verb) => {
    const { sku, from, to } = await goods(shop, 5);
    const [transferId, reservationId] = [`trf_${randomUUID()}`, `rsv_${randomUUID()}`];
    // It has no workflow, so it stays reserved.
    const opened = await createTransferStore(connection.sql).apply({
      ...{ key: `${transferId}/open`, transferId, workflowId: `transfer/${transferId}`, actor: 'test', traceId: '' },
      ...{ step: 'open', mode: 'shipped', sku, quantity: 2, from, to, reservationId },
    });
    expect(opened).toMatchObject({ outcome: 'done', state: { status: 'reserved' } });
    const { status, body } = await shop.post(`/api/reservations/${reservationId}/${verb}`, {});
    expect([status, body.code, body.transferId]).toEqual([409, 'invalid_state', transferId]);
    expect(await whereabouts(shop, sku)).toEqual({ main: 5, transit: 0, held: 2 });
  });
});
