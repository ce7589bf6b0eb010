/**
 * Loaded before each program of ours that the stack starts (`node --import`, detached): when the stack is gone, however it
 * went, so are they. The channel to the stack closes with it.
 */
import { isMainThread } from 'node:worker_threads';

// Not by `--enable-source-maps`, which the thread that runs the workflows would take up: that has maps of its own, and the
// flag would look for one in each function that it makes.
if (isMainThread) process.setSourceMapsEnabled(true);

if (process.send) {
  if (!process.connected) endGroup();
  process.on('disconnect', endGroup);
  process.channel?.unref();
}

/** What the program has started itself goes too. */
function endGroup(): void {
  process.kill(-process.pid, 'SIGKILL');
}
