/** Options that several commands share. */
import type { Command } from 'commander';
import { defaultPageSize, defaultWaitSeconds, maxPageSize, maxWaitSeconds } from '../../domain/limits.js';
import { idempotencyKey, listLimit, waitSeconds } from '../terminal/values.js';

export interface ListOptions {
  readonly limit?: number;
  readonly cursor?: string;
}

/** Adds the option of commands that change something. */
export function withKey(command: Command): Command {
  return command.option(
    '--idempotency-key <key>',
    'a command repeated with its key acts once (default: a new key)',
    idempotencyKey,
  );
}

/** Adds the option of commands that start or drive a workflow. */
export function withWait(command: Command): Command {
  return command.option(
    '--wait <seconds>',
    `how long to wait for the decision, 0 to ${maxWaitSeconds} (default: ${defaultWaitSeconds})`,
    waitSeconds,
  );
}

export function withPages(command: Command): Command {
  return command
    .option('--limit <n>', `how many at most, 1 to ${maxPageSize} (default: ${defaultPageSize})`, listLimit)
    .option('--cursor <cursor>', 'continue where a list ended');
}

/** How to continue a list that has more. */
export function moreLine(nextCursor: string | null): string {
  return nextCursor === null ? '' : `more: --cursor ${nextCursor}\n`;
}

/** Examples below a command's help. */
export function example(...commandLines: readonly string[]): string {
  const title = commandLines.length === 1 ? 'Example' : 'Examples';
  return `\n${title}:\n${commandLines.map((line) => `  $ ${line}`).join('\n')}`;
}

/** Makes any text one segment of a path. */
export const segment = encodeURIComponent;
