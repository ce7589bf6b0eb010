#!/usr/bin/env node
/** `npx holdfast`: builds if sources changed, then runs the command. Plain JavaScript, since nothing may be compiled yet. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuild } from '../dev/build.mjs';

// The reader may stop early (`holdfast order list | head -1`): the command then ends normally and silently.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error) => {
    if (error.code === 'EPIPE') return;
    if (stream === process.stdout) console.error(`holdfast: cannot write the output: ${error.message}`);
    process.exit(2);
  });

const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
try {
  const { buildRoot } = await ensureBuild();
  const { main } = await import(pathToFileURL(join(buildRoot, 'cli/main.js')).href);
  process.exitCode = await main(process.argv.slice(2), {
    env: process.env,
    currentFolder: process.cwd(),
    projectRoot,
    version: JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).version,
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
