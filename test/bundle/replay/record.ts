/**
 * `npm run replay:record`: walks every path on a stack of its own and keeps the histories. A history that is there already
 * is kept as it is, since it stands for workflows that may be running somewhere; `--anew` records all of them again.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { projectRoot } from '../../../dev/home/paths.js';
import { taskQueue } from '../../../workflows/shared/contract.js';
import { startStack } from '../../setup/stack.js';
import { eventually, Shop } from '../../shop.js';
import { recordedLimit } from './limit-paths.js';
import { paths } from './paths.js';

const folder = join(projectRoot, 'test/bundle/replay/histories');
mkdirSync(folder, { recursive: true });
const anew = process.argv.includes('--anew');

// Long enough for the paths that end before their hold, short enough to wait for those that end with it.
const stack = await startStack({
  RETRY_BASE_SCALE: '0.01',
  GATEWAY_TIMEOUT_SECONDS: '1',
  RESERVATION_TTL_SECONDS: '8',
  DRAFT_TTL_SECONDS: '4',
  // A delivery continues in a new run after 50 checks (5 s), and is overdue after 17 s.
  DELIVERY_CHECK_SECONDS: '0.1',
  DELIVERY_MAX_DAYS: '0.0002',
  SUPPLIER_RECHECK_SECONDS: '0.3',
  CUSTOMER_AMOUNT_PER_DAY: String(recordedLimit),
});
try {
  const shop = new Shop(stack);
  const client = new Client({ connection: await Connection.connect({ address: stack.temporalAddress }) });
  const outside = {
    signal: async (workflowId: string, name: string, payload?: unknown) =>
      client.workflow.getHandle(workflowId).signal(name, ...(payload === undefined ? [] : [payload])),
    cancel: async (workflowId: string) => {
      await client.workflow.getHandle(workflowId).cancel();
    },
    start: async (workflowType: string, workflowId: string) => {
      await client.workflow.start(workflowType, { workflowId, taskQueue, args: [] });
    },
    databaseUrl: stack.databaseUrl,
    sandboxUrl: stack.sandboxUrl,
  };
  for (const { name, walk } of paths) {
    const file = join(folder, `${name}.json`);
    if (existsSync(file) && !anew) continue;
    const handle = client.workflow.getHandle(await walk(shop, outside));
    await eventually('the workflow to be closed', async () => (await handle.describe()).status.name === 'COMPLETED');
    writeFileSync(file, historyToJSON(await handle.fetchHistory()));
    console.log(`recorded ${name}`);
  }
  await client.connection.close();
} finally {
  await stack.stop();
}
