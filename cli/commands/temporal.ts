/** `holdfast temporal ...`: Temporal's own command line, pointed at the local stack's server. */
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
    .argument('[args...]', "passed to Temporal's command line, --help included")
    .addHelpText(
      'after',
      `\nTEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, or --address, --namespace and --profile, point it at another server.\n${example('holdfast temporal workflow list', 'holdfast temporal workflow describe --workflow-id order/ord_...')}`,
    );
}

/**
 * Runs the binary that dev.json names (else `TEMPORAL_CLI_PATH`) with these arguments, on this command's own input and
 * output. Returns its exit code, or 128 plus the number of the signal that ended it.
 */
export async function runTemporal(args: readonly string[], session: Session, around: Surroundings): Promise<number> {
  const stack = findStack(around.env, { current: around.currentFolder, projectRoot: around.projectRoot });
  if (stack.kind === 'wrong') return fail(session, stack.detail, exitCodes.usage);
  const found = stack.kind === 'stack' ? stack.stack : null;
  const binary = found?.temporalCliPath ?? around.env.TEMPORAL_CLI_PATH;
  if (!binary) {
    const where = stack.kind === 'none' ? stack.detail : 'the dev.json of the local stack has no temporalCliPath';
    return fail(
      session,
      `cannot find Temporal's command line: ${where}. Set TEMPORAL_CLI_PATH to its path`,
      stack.kind === 'none' ? exitCodes.unreachable : exitCodes.usage,
    );
  }
  return await run(binary, args, { ...around.env, ...serverOf(found, args, around.env) }, session);
}

/** Environment variables, since any option of Temporal's command line overrides them. None if a profile names the server. */
function serverOf(stack: RunningStack | null, args: readonly string[], env: Surroundings['env']): NodeJS.ProcessEnv {
  if (stack === null || args.some((arg) => /^--(profile|env)(=|$)/.test(arg))) return {};
  return {
    TEMPORAL_ADDRESS: env.TEMPORAL_ADDRESS || stack.temporalAddress,
    TEMPORAL_NAMESPACE: env.TEMPORAL_NAMESPACE || stack.temporalNamespace,
  };
}

function run(binary: string, args: readonly string[], env: NodeJS.ProcessEnv, session: Session): Promise<number> {
  // The terminal sends Ctrl-C to the child too, so leave the decision to it. Forward signals that reach only us.
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
