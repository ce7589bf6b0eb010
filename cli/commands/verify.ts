/** `holdfast verify` */
import type { Command } from 'commander';
import { table } from '../terminal/output.js';
import { exitCodes, type Resource, type Session } from '../terminal/session.js';

/** The whole ledger is read. */
const verifySeconds = 600;

export function addVerifyCommand(command: Command, session: Session): void {
  command.action(async () => {
    const found = await session.show(
      await session.get('/api/ledger/verify', {}, { answerSeconds: verifySeconds }),
      'verification',
      ({ clean, differences }) =>
        clean ? 'clean: the ledger, the levels and the open holds agree\n' : describeDifferences(differences),
    );
    if (found && !found.clean) session.exitCode = exitCodes.refused;
  });
}

function describeDifferences(differences: Resource<'verification'>['differences']): string {
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
