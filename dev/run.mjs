#!/usr/bin/env node
/** `node dev/run.mjs <program> [arguments]`: builds if sources changed, then runs dist/<hash>/<program> in this process. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild } from './build.mjs';

const [program, ...rest] = process.argv.slice(2);
if (!program) {
  console.error('usage: node dev/run.mjs <program below the build, such as bench/main.js> [arguments]');
  process.exit(2);
}
const { buildRoot } = await ensureBuild().catch((error) => {
  console.error(`holdfast: ${error.message}`);
  process.exit(2);
});
// A test or a benchmark started this process. When it ends, however it ends, stop in order.
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
const file = join(buildRoot, program);
process.argv.splice(1, process.argv.length, file, ...rest);
await import(pathToFileURL(file).href);
