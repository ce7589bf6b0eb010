/** Transfers whose worker is killed at a chosen place, and what must be true afterwards. See scenarios.ts for the places. */
import { expect } from 'vitest';
import { crashAt } from '../../setup/crash-points.js';
import { Shop, type StackAddress } from '../../shop.js';
import {
  booksAgree,
  byHand,
  goods,
  recall,
  receive,
  rowsOf,
  send,
  untilStatus,
  whereabouts,
} from '../transfers/goods.js';
import type { Phase } from './scenarios.js';

interface Case {
  readonly shop: Shop;
  readonly databaseUrl: string;
  readonly sku: string;
  readonly to: string;
}

interface TransferScenario {
  /** What happens to the transfer of 2 of 5 units. `activities` are those it runs. */
  readonly what: string;
  readonly activities: readonly string[];
  readonly run: (one: Case) => Promise<string>;
  /** The status, on hand at both ends, and the kinds of its ledger rows, none of them twice. */
  readonly end: { readonly status: string; readonly main: number; readonly there: number; readonly rows: string };
}

const held = 'reserved cancelled';
const sent = `${held} transferred_out transferred_in`;

export const transferScenarios: readonly TransferScenario[] = [
  {
    what: 'moved at once',
    activities: ['openTransfer', 'moveTransfer'],
    run: (one) => start(one, 'immediate', 2),
    end: { status: 'completed', main: 3, there: 2, rows: sent },
  },
  {
    what: 'refused for lack of stock',
    activities: ['openTransfer'],
    run: (one) => start(one, 'immediate', 6),
    end: { status: 'failed', main: 5, there: 0, rows: '' },
  },
  {
    what: 'shipped and received',
    activities: ['shipTransfer', 'receiveTransfer'],
    run: async (one) => {
      const id = await start(one, 'shipped', 2);
      await receive(one.shop, id);
      return id;
    },
    end: { status: 'completed', main: 3, there: 2, rows: `${sent} transferred_out transferred_in` },
  },
  {
    what: 'shipped and received in part',
    activities: ['receiveTransfer'],
    run: async (one) => {
      const id = await start(one, 'shipped', 2);
      await receive(one.shop, id, { quantity: 1, reason: 'one is missing' });
      return id;
    },
    end: { status: 'completed', main: 3, there: 1, rows: `${sent} transferred_out transferred_in lost` },
  },
  {
    what: 'called back in transit',
    activities: ['undoTransfer'],
    run: async (one) => {
      const id = await start(one, 'shipped', 2);
      await recall(one.shop, id);
      return id;
    },
    end: { status: 'cancelled', main: 5, there: 0, rows: `${sent} transferred_out transferred_in` },
  },
  {
    what: 'sent to review, with the goods given back by hand',
    activities: ['openReview', 'reviewTransfer', 'closeTransfer'],
    run: givenBackByHand,
    end: { status: 'cancelled', main: 5, there: 0, rows: sent },
  },
];

async function start({ shop, sku, to }: Case, mode: 'immediate' | 'shipped', quantity: number): Promise<string> {
  const { body } = await send(shop, { sku, quantity, from: 'main', to, mode });
  return body.id ?? body.transferId;
}

async function givenBackByHand(one: Case): Promise<string> {
  const { shop, databaseUrl, sku } = one;
  const id = await start(one, 'shipped', 2);
  await byHand(databaseUrl, { kind: 'lose', sku, location: 'transit', quantity: 2 });
  await shop.post(`/api/transfers/${id}/cancel`, {}, { prefer: 'respond-async' });
  await untilStatus(shop, id, 'manual_review');
  await byHand(databaseUrl, { kind: 'transfer_in', sku, location: 'main', quantity: 2 });
  const { body } = await shop.must(200, shop.get('/api/reviews?status=open&limit=200'));
  const reviews: { id: string; subject: string }[] = body.items;
  const review = reviews.find(({ subject }) => subject === `transfer/${id}`);
  await shop.post(`/api/reviews/${review?.id}/resolve`, { resolution: 'done', note: 'carried back' });
  return id;
}

/** Kills the worker at `activity`.`phase` while the scenario runs, and checks that it ends as if nothing had happened. */
export async function transferSurvives(
  stack: StackAddress & { readonly databaseUrl: string },
  crashFolder: string,
  scenario: TransferScenario,
  activity: string,
  phase: Phase,
): Promise<void> {
  const shop = new Shop(stack);
  const { sku, to } = await goods(shop, 5);
  const crashed = crashAt(crashFolder, `${activity}.${phase}`);
  const id = await scenario.run({ shop, databaseUrl: stack.databaseUrl, sku, to });
  await crashed();
  const { status, main, there, rows } = scenario.end;
  await untilStatus(shop, id, status);
  expect(await whereabouts(shop, sku)).toEqual({ main, ...(there > 0 && { [to]: there }), transit: 0, held: 0 });
  expect((await rowsOf(shop, sku, id)).map((row) => row.split(' ')[0]).join(' ')).toBe(rows);
  expect(await booksAgree(shop)).toBe(true);
}
