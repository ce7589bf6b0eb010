#!/usr/bin/env node
/** `npx holdfast`: builds if sources changed, then runs the command. Plain JavaScript, since nothing may be compiled yet. */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuild } from '../dev/build.mjs';

// Whoever reads us may stop early (`holdfast order list | head`).
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  const { buildRoot } = await ensureBuild();
  const { main } = await import(pathToFileURL(join(buildRoot, 'cli/main.js')).href);
  process.exitCode = await main(process.argv.slice(2), {
    env: process.env,
    currentFolder: process.cwd(),
    projectRoot: dirname(dirname(fileURLToPath(import.meta.url))),
    terminal: {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
      interactive: process.stderr.isTTY === true,
    },
  });
} catch (error) {
  console.error(`holdfast: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
}
