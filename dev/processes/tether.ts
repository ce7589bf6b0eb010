/**
 * Loaded before each of our own programs that the stack starts (`node --import`, detached). When the stack ends, however it
 * ends, its channel closes and the program ends too.
 */
import { isMainThread } from 'node:worker_threads';

// Not `--enable-source-maps`: the workflow thread would inherit the flag and look for a source map in each function it
// creates. It has its own maps.
if (isMainThread) process.setSourceMapsEnabled(true);

if (process.send) {
  if (!process.connected) endGroup();
  process.on('disconnect', endGroup);
  process.channel?.unref();
}

/** Also ends what the program has started. */
function endGroup(): void {
  process.kill(-process.pid, 'SIGKILL');
}
