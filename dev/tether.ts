/**
 * Loaded before each program of ours that the stack starts (`node --import`, detached): when the stack is gone, however it
 * went, so are they. The channel to the stack closes with it.
 */
if (process.send) {
  if (!process.connected) endGroup();
  process.on('disconnect', endGroup);
  process.channel?.unref();
}

/** What the program has started itself goes too. */
function endGroup(): void {
  process.kill(-process.pid, 'SIGKILL');
}
