#!/usr/bin/env node
/** `npm start`: builds if sources changed, then runs the embedded stack in this process. */
import { writeSync } from 'node:fs';

try {
  // At once: on a slow machine it takes seconds to load the rest.
  writeSync(1, 'Holdfast is starting; each line says how many seconds it took so far.\n');
} catch {
  // Nobody listens.
}
process.argv.splice(2, process.argv.length, 'dev/main.js');
await import('./run.mjs');
