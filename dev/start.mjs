#!/usr/bin/env node
/** `npm start`: builds if sources changed, then runs the embedded stack in this process. */
process.argv.splice(2, process.argv.length, 'dev/main.js');
await import('./run.mjs');
