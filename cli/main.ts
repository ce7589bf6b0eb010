/** The command `holdfast`: over the HTTP API only. */
import { Command, CommanderError } from 'commander';
import { addBulkCommand } from './commands/bulk.js';
import { addKeyCommands } from './commands/keys.js';
import { addOrderCommands } from './commands/order.js';
import { addReservationCommands } from './commands/reservations.js';
import { addReviewCommands } from './commands/reviews.js';
import { addStockCommands } from './commands/stock.js';
import { addSupplierCommands } from './commands/suppliers.js';
import { addSupplyCommands } from './commands/supply.js';
import { addTransferCommands } from './commands/transfer.js';
import { addVerifyCommand } from './commands/verify.js';
import { findConnection } from './connection.js';
import { type ExitCode, exitCodes, Session, type Terminal } from './session.js';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly currentFolder: string;
  readonly projectRoot: string;
  readonly terminal: Terminal;
}

/**
 * Runs one command line (without node and the script) to its end. Answers the exit code: 0 done; 1 refused by the API or,
 * for `verify`, not clean; 2 wrong usage or settings; 3 the API cannot be reached.
 */
export async function main(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  const program = new Command('holdfast')
    .description('Orders, payments and stock, from the command line.')
    .option('--json', 'print exactly what the API answers')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: around.terminal.out, writeErr: around.terminal.err })
    .showHelpAfterError('(--help tells more)')
    .exitOverride();
  const session = new Session(
    around.terminal,
    () => findConnection(around.env, { current: around.currentFolder, projectRoot: around.projectRoot }),
    () => program.opts<{ json?: boolean }>().json === true,
  );
  addStockCommands(program, session);
  addReservationCommands(program, session);
  addOrderCommands(program, session);
  addTransferCommands(program, session);
  addSupplierCommands(program, session);
  addSupplyCommands(program, session);
  addBulkCommand(program, session, around.currentFolder);
  addVerifyCommand(program, session);
  addKeyCommands(program, session);
  addReviewCommands(program, session);

  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    throw error;
  }
  return session.exitCode;
}
