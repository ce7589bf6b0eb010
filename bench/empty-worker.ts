/** The empty workflow's own worker process, as the orders have theirs. Reads TEMPORAL_ADDRESS. */
import { createRequire } from 'node:module';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const workflowsPath = createRequire(import.meta.url).resolve('./empty-workflow.js');
const worker = await Worker.create({
  connection: await NativeConnection.connect({
    address: process.env.TEMPORAL_ADDRESS ?? '',
    grpcCompression: { codec: 'none' },
  }),
  taskQueue: 'bench-empty',
  workflowBundle: await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') }),
});
process.send?.('ready');
process.on('disconnect', () => process.exit(0));
await worker.run();
