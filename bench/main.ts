/**
 * `npm run bench [-- ledger orders payments fraud subscriptions sweep transfers bulk outbox growth history memory failover]`: runs all
 * benchmarks, or the named ones, on a stack of their own and prints tables. The two sides of a comparison always run side by side.
 */
import { cpus } from 'node:os';
import { startStack } from '../test/setup/stack.js';
import { benchBulk } from './bulk.js';
import { benchFailover } from './failover.js';
import { benchFraud } from './fraud.js';
import { benchGrowth } from './growth.js';
import { benchHistory } from './history.js';
import { benchLedger } from './ledger.js';
import { benchMemory } from './memory.js';
import { benchOrders, stockUp } from './orders.js';
import { benchOutbox } from './outbox.js';
import { benchPayments } from './payments.js';
import { benchSubscriptions } from './subscriptions.js';
import { benchSweep } from './sweep.js';
import { printTable } from './table.js';
import { benchTransfers } from './transfers.js';

const wanted = process.argv.slice(2);
const runs = (name: string) => wanted.length === 0 || wanted.includes(name);

const env = { RATE_LIMIT_PER_MINUTE: '100000000', LOG_LEVEL: 'warn' };
const stack = await startStack(env);
try {
  console.log(`${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`);
  const sku = `BENCH-M-${Date.now()}`;
  await stockUp(stack, sku);
  if (runs('ledger')) printTable('Ledger: operations per second on one hot SKU', await benchLedger(stack.databaseUrl));
  if (runs('orders')) printTable('Orders: created and confirmed in one call, over HTTP', await benchOrders(stack));
  if (runs('payments')) printTable('Payments and refunds, over HTTP', await benchPayments(env));
  if (runs('subscriptions')) printTable('Subscriptions: all due in the same second', await benchSubscriptions(stack));
  if (runs('fraud')) printTable('Payments, scored over HTTP and by rules', await benchFraud(env));
  if (runs('sweep')) printTable('Overload: orders from 1 to 256 clients', await benchSweep(stack));
  if (runs('transfers'))
    printTable('Transfers: at once between two hot locations, over HTTP', await benchTransfers(stack));
  if (runs('bulk')) printTable('Bulk: 100 inventory operations at once, over HTTP', await benchBulk(stack));
  if (runs('outbox')) printTable('Outbox: from a commit to the workflow that follows', await benchOutbox(stack));
  if (runs('growth')) printTable('A million orders against a young database', await benchGrowth(stack.databaseUrl));
  if (runs('history')) printTable('What one order costs Temporal', await benchHistory(stack, sku));
  if (runs('failover')) printTable('The only worker is killed', await benchFailover(stack));
  if (runs('memory')) printTable('Memory', await benchMemory(stack, sku));
} finally {
  await stack.stop();
}
