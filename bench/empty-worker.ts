/** A worker process for the empty workflow, so that it has a process of its own as the orders have. TEMPORAL_ADDRESS. */
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
