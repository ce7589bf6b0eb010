/** Options that several commands share. */
import type { Command } from 'commander';
import { idempotencyKey, listLimit, waitSeconds } from '../values.js';

export interface ListOptions {
  readonly limit?: number;
  readonly cursor?: string;
}

/** For commands that change something. */
export function withKey(command: Command): Command {
  return command.option(
    '--idempotency-key <key>',
    'act once for this key (default: a new one for each run)',
    idempotencyKey,
  );
}

/** For commands that drive an order. */
export function withWait(command: Command): Command {
  return command.option('--wait <seconds>', 'wait for the decision, 0 to 30 (default: 10)', waitSeconds);
}

export function withPages(command: Command): Command {
  return command
    .option('--limit <n>', 'at most so many, 1 to 200 (default: 50)', listLimit)
    .option('--cursor <cursor>', 'go on where a list ended');
}

/** How to go on where a list has more. */
export function moreLine(nextCursor: string | null): string {
  return nextCursor === null ? '' : `more: --cursor ${nextCursor}\n`;
}

/** As one segment of a path, whatever it holds. */
export const segment = encodeURIComponent;
