/** The embedded stack as a process: `npm start`. Exits 2 with one message where it cannot start, 0 when it was told to stop. */
import { reportError } from '../domain/error-report.js';
import { parseSettings } from '../domain/settings.js';
import { homePath } from './home.js';
import { Stack } from './stack.js';
import { StartError } from './start-error.js';

const parsed = parseSettings(process.env);
if (parsed.kind === 'wrong') {
  for (const problem of parsed.problems) console.error(`holdfast: ${problem}`);
  process.exit(2);
}

const stack = new Stack(process.env, parsed.settings, (line) => console.log(line));
let toldToStop = false;

async function stopAndExit(): Promise<void> {
  if (!toldToStop) console.log('stopping');
  toldToStop = true;
  await stack.stop();
  process.exit(0);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stopAndExit);

try {
  await stack.start(homePath(process.env));
} catch (error) {
  await stack.stop();
  if (!toldToStop) {
    console.error(
      error instanceof StartError ? `holdfast: ${error.message}` : JSON.stringify(reportError(error), null, 2),
    );
    process.exit(2);
  }
}
