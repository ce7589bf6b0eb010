/** Options that several commands share. */
import type { Command } from 'commander';
import { defaultPageSize, defaultWaitSeconds, maxPageSize, maxWaitSeconds } from '../../domain/limits.js';
import { idempotencyKey, listLimit, waitSeconds } from '../terminal/values.js';

export interface ListOptions {
  readonly limit?: number;
  readonly cursor?: string;
}

/** For commands that change something. */
export function withKey(command: Command): Command {
  return command.option(
    '--idempotency-key <key>',
    'repeat a command with its key and it acts once (default: a new key)',
    idempotencyKey,
  );
}

/** For commands that start or drive a workflow. */
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

/** What stands below a command's help. */
export function example(...commandLines: readonly string[]): string {
  const title = commandLines.length === 1 ? 'Example' : 'Examples';
  return `\n${title}:\n${commandLines.map((line) => `  $ ${line}`).join('\n')}`;
}

/** As one segment of a path, whatever it holds. */
export const segment = encodeURIComponent;
