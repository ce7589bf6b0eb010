/** The `holdfast` command. It talks to the HTTP API only. */
import { Command, CommanderError } from 'commander';
import { findConnection } from './connection/settings.js';
import { helpLayout } from './terminal/help.js';
import { exitCodes, Session, type Terminal } from './terminal/session.js';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly currentFolder: string;
  readonly projectRoot: string;
  readonly version: string;
  readonly terminal: Terminal;
}

interface TopCommand {
  readonly name: string;
  readonly description: string;
  /** Loads the command and adds its arguments and options. Only the command named on the command line is loaded. */
  readonly fill: (command: Command, session: Session, around: Surroundings) => Promise<unknown>;
}

const topCommands: readonly TopCommand[] = [
  {
    name: 'product',
    description: 'the products in the catalogue',
    fill: async (group, session) => (await import('./commands/product.js')).addProductCommands(group, session),
  },
  {
    name: 'location',
    description: 'where goods are kept',
    fill: async (group, session) => (await import('./commands/location.js')).addLocationCommands(group, session),
  },
  {
    name: 'stock',
    description: 'how much of each product is in stock',
    fill: async (group, session) => (await import('./commands/stock.js')).addStockCommands(group, session),
  },
  {
    name: 'reservations',
    description: 'holds on stock',
    fill: async (group, session) => (await import('./commands/reservations.js')).addReservationCommands(group, session),
  },
  {
    name: 'order',
    description: 'orders, from the first line to the receipt',
    fill: async (group, session, { currentFolder }) =>
      (await import('./commands/order.js')).addOrderCommands(group, session, currentFolder),
  },
  {
    name: 'refund',
    description: 'return money for an order or a payment, for units of its lines or an amount',
    fill: async (command, session) => (await import('./commands/refunds.js')).addRefundCommand(command, session),
  },
  {
    name: 'refunds',
    description: 'the refunds, and how they stand',
    fill: async (group, session) => (await import('./commands/refunds.js')).addRefundsCommands(group, session),
  },
  {
    name: 'payments',
    description: "compare payments with the processors' books (scope admin)",
    fill: async (group, session) => (await import('./commands/payments.js')).addPaymentsCommands(group, session),
  },
  {
    name: 'disputes',
    description: 'what cardholders have asked their bank to return',
    fill: async (group, session) => (await import('./commands/disputes.js')).addDisputesCommands(group, session),
  },
  {
    name: 'subscription',
    description: 'plans that customers pay for, period by period',
    fill: async (group, session) =>
      (await import('./commands/subscription.js')).addSubscriptionCommands(group, session),
  },
  {
    name: 'test-clock',
    description: 'clocks for tests: subscriptions on one see its time',
    fill: async (group, session) => (await import('./commands/subscription.js')).addTestClockCommands(group, session),
  },
  {
    name: 'transfer',
    description: 'moving goods from one location to another',
    fill: async (group, session) => (await import('./commands/transfer.js')).addTransferCommands(group, session),
  },
  {
    name: 'suppliers',
    description: 'the suppliers that replenishment orders from',
    fill: async (group, session) => (await import('./commands/suppliers.js')).addSupplierCommands(group, session),
  },
  {
    name: 'replenish',
    description: 'order a product from its supplier, up to its maximum stock; if an order is under way, show that one',
    fill: async (command, session) => (await import('./commands/supply.js')).addReplenishCommand(command, session),
  },
  {
    name: 'po',
    description: 'purchase orders: what was ordered from suppliers',
    fill: async (group, session) => (await import('./commands/supply.js')).addPurchaseOrderCommands(group, session),
  },
  {
    name: 'bulk',
    description: 'apply the inventory operations in a CSV file, each exactly once',
    fill: async (command, session, around) =>
      (await import('./commands/bulk.js')).addBulkCommand(command, session, around.currentFolder),
  },
  {
    name: 'verify',
    description:
      'recompute all stock from the ledger and compare it with the levels and the open holds; exits 1 if they differ',
    fill: async (command, session) => (await import('./commands/verify.js')).addVerifyCommand(command, session),
  },
  {
    name: 'keys',
    description: 'API keys (scope admin)',
    fill: async (group, session) => (await import('./commands/keys.js')).addKeyCommands(group, session),
  },
  {
    name: 'reviews',
    description: 'cases that a person must look at (scope admin)',
    fill: async (group, session) => (await import('./commands/reviews.js')).addReviewCommands(group, session),
  },
  {
    name: 'fraud',
    description: 'what payments are scored by (scope admin)',
    fill: async (group, session, { currentFolder }) =>
      (await import('./commands/fraud.js')).addFraudCommands(group, session, currentFolder),
  },
  {
    name: 'audit',
    description: 'who did what, newest first (scope admin)',
    fill: async (command, session) => (await import('./commands/audit.js')).addAuditCommand(command, session),
  },
  {
    name: 'temporal',
    description: "run Temporal's own command line against the server of the local stack",
    fill: async (command) => (await import('./commands/temporal.js')).addTemporalCommand(command),
  },
];

/**
 * Runs one command line (without node and the script). Returns the exit code: 0 done; 1 refused by the API, for `verify` not
 * clean, for `refund` failed at the processor; 2 wrong usage or settings; 3 the API cannot be reached; 130 interrupted. `temporal` exits with the code of the
 * program it runs.
 */
export async function main(args: readonly string[], around: Surroundings): Promise<number> {
  const program = newProgram(around);
  const session = new Session(
    around.terminal,
    () => findConnection(around.env, { current: around.currentFolder, projectRoot: around.projectRoot }),
    () => program.opts<{ json?: boolean }>().json === true,
  );
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  if (first === 'temporal') {
    // Everything after it, options included, goes to Temporal's own command line.
    const { runTemporal } = await import('./commands/temporal.js');
    return await runTemporal(args.slice(args.indexOf(first) + 1), session, around);
  }
  const named = first === 'help' ? second : first;
  for (const { name, description, fill } of topCommands) {
    const command = program.command(name).description(description);
    if (name === named) await fill(command, session, around);
  }
  program
    .command('help')
    .description('help for a command, for example: holdfast help order create')
    .argument('[command...]')
    .action((topic: readonly string[]) => showHelp(program, topic));
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    throw error;
  }
  return session.exitCode;
}

function newProgram(around: Surroundings): Command {
  return new Command('holdfast')
    .description('Orders, payments and stock, from the command line.')
    .version(around.version, '-V, --version', 'print the version')
    .option('--json', "print the API's answer unchanged")
    .helpOption('-h, --help', 'show what a command does and its options')
    .helpCommand(false)
    .configureHelp(helpLayout)
    .configureOutput({ writeOut: around.terminal.out, writeErr: around.terminal.err })
    .showHelpAfterError('(--help shows the options)')
    .exitOverride();
}

/** The help of `order create` for the topic `order`, `create`. */
async function showHelp(program: Command, topic: readonly string[]): Promise<void> {
  let command = program;
  for (const name of topic) {
    if (command.commands.length === 0) break;
    const next = command.commands.find((candidate) => candidate.name() === name);
    // The group reports the unknown name and suggests another.
    if (next === undefined) return void (await command.parseAsync([name], { from: 'user' }));
    command = next;
  }
  command.help();
}
