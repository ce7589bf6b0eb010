/** `holdfast verify` */
import type { Command } from 'commander';
import type { z } from 'zod';
import { table } from '../output.js';
import { verification } from '../resources.js';
import { exitCodes, type Session } from '../session.js';

/** The whole ledger is read. */
const verifySeconds = 600;

export function addVerifyCommand(program: Command, session: Session): void {
  program
    .command('verify')
    .description('fold the whole ledger and compare it with the levels and the open holds; exits 1 where they differ')
    .action(async () => {
      const found = session.show(
        await session.get('/api/ledger/verify', {}, { answerSeconds: verifySeconds }),
        verification,
        ({ clean, differences }) =>
          clean ? 'clean: the ledger, the levels and the open holds agree\n' : describeDifferences(differences),
      );
      if (found && !found.clean) session.exitCode = exitCodes.refused;
    });
}

function describeDifferences(differences: z.infer<typeof verification>['differences']): string {
  const columns = [
    { title: 'SKU' },
    { title: 'LOCATION' },
    { title: 'WHAT' },
    { title: 'EXPECTED', align: 'right' as const },
    { title: 'FOUND', align: 'right' as const },
  ];
  const rows = differences.map(({ sku, location, what, expected, found }) => [sku, location, what, expected, found]);
  return `${differences.length} ${differences.length === 1 ? 'difference' : 'differences'}\n\n${table(columns, rows)}`;
}
