/** The embedded stack as a process: `npm start`. Exits 2 with one message if it cannot start, 0 when a signal stops it. */
import { reportError } from '../domain/error-report.js';
import { misspeltSettings } from '../domain/setting-names.js';
import { parseSettings } from '../domain/settings.js';
import { liveKeyProblem, withSandboxKey } from '../domain/stripe-settings.js';
import { homePath } from './home/home.js';
import { Stack } from './stack.js';
import { messageOf, StartError, systemCode } from './start-error.js';
import { Progress, standardOutput } from './terminal/terminal.js';

const env = { ...withSandboxKey(process.env) };
const parsed = parseSettings(env);
const live = liveKeyProblem(env);
for (const warning of misspeltSettings(env)) console.error(`holdfast: ${warning}`);
if (parsed.kind === 'wrong' || live !== null) {
  const problems = [...(parsed.kind === 'wrong' ? parsed.problems : []), ...(live === null ? [] : [live])];
  for (const problem of problems) console.error(`holdfast: ${problem}`);
  process.exit(2);
}

const progress = new Progress(standardOutput);
const home = homePath(process.env);
const stack = new Stack(env, parsed.settings, progress);
let stopping = false;

async function stopAndExit(): Promise<void> {
  if (!stopping) progress.line('stopping');
  stopping = true;
  await stack.stop();
  process.exit(0);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stopAndExit());

try {
  await stack.start(home);
} catch (error) {
  await stack.stop();
  if (!stopping) {
    // The user can fix a system error (a full disk, for example). Anything else is a bug, so show its stack trace.
    const expected = error instanceof StartError || systemCode(error) !== '';
    const room = systemCode(error) === 'ENOSPC' ? ` (HOLDFAST_HOME is ${home})` : '';
    console.error(expected ? `holdfast: ${messageOf(error)}${room}` : JSON.stringify(reportError(error), null, 2));
    process.exit(2);
  }
}
