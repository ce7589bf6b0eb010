/** `holdfast temporal ...`: Temporal's own command line, pointed at the server of the stack that runs here. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Command } from 'commander';
import { findStack, type RunningStack } from '../connection/settings.js';
import type { Surroundings } from '../main.js';
import { exitCodes, type Session } from '../terminal/session.js';
import { example } from './options.js';

/** For `holdfast help temporal`; the command itself never gets here (`runTemporal`). */
export function addTemporalCommand(command: Command): void {
  command
    .argument('[args...]', "what Temporal's command line takes, --help included")
    .addHelpText(
      'after',
      `\nTEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, or --address, --namespace and --profile, name another server.\n${example('holdfast temporal workflow list', 'holdfast temporal workflow describe --workflow-id order/ord_...')}`,
    );
}

/**
 * Runs the binary that dev.json names (else `TEMPORAL_CLI_PATH`) with these arguments, and its input and output as ours.
 * Answers its exit code; 128 plus the number of the signal that ended it.
 */
export async function runTemporal(args: readonly string[], session: Session, around: Surroundings): Promise<number> {
  const stack = findStack(around.env, { current: around.currentFolder, projectRoot: around.projectRoot });
  if (stack.kind === 'wrong') return fail(session, stack.detail, exitCodes.usage);
  const found = stack.kind === 'stack' ? stack.stack : null;
  const binary = found?.temporalCliPath ?? around.env.TEMPORAL_CLI_PATH;
  if (!binary) {
    const where = stack.kind === 'none' ? stack.detail : 'dev.json of the stack that runs here has no temporalCliPath';
    return fail(
      session,
      `which temporal? ${where}. Set TEMPORAL_CLI_PATH to Temporal's command line`,
      stack.kind === 'none' ? exitCodes.unreachable : exitCodes.usage,
    );
  }
  return await run(binary, args, { ...around.env, ...serverOf(found, args, around.env) }, session);
}

/** As variables, which every option of Temporal's command line overrides; nothing where a profile names the server. */
function serverOf(stack: RunningStack | null, args: readonly string[], env: Surroundings['env']): NodeJS.ProcessEnv {
  if (stack === null || args.some((arg) => /^--(profile|env)(=|$)/.test(arg))) return {};
  return {
    TEMPORAL_ADDRESS: env.TEMPORAL_ADDRESS || stack.temporalAddress,
    TEMPORAL_NAMESPACE: env.TEMPORAL_NAMESPACE || stack.temporalNamespace,
  };
}

function run(binary: string, args: readonly string[], env: NodeJS.ProcessEnv, session: Session): Promise<number> {
  // Ctrl-C reaches the child as well, which decides what to do; what is sent to us alone is passed on.
  const ignore = () => undefined;
  const child = spawn(binary, args, { env, stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', ignore).on('SIGTERM', pass).on('SIGHUP', pass);
  return new Promise<number>((done) => {
    child.on('error', (error) => done(fail(session, `cannot run ${binary}: ${error.message}`, exitCodes.usage)));
    child.on('close', (code, signal) => done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  }).finally(() => process.off('SIGINT', ignore).off('SIGTERM', pass).off('SIGHUP', pass));
}

function fail(session: Session, line: string, exitCode: number): number {
  session.tell(line);
  return exitCode;
}
