/** `holdfast fraud ...` */
import type { Command } from 'commander';
import { readSource } from '../bulk/source.js';
import { table } from '../terminal/output.js';
import { exitCodes, type Resource, type Session } from '../terminal/session.js';
import { example } from './options.js';

export function addFraudCommands(group: Command, session: Session, currentFolder: string): void {
  group
    .command('rules')
    .description('the rules that payments are scored by; they count where FRAUD_SCORER is rules or both')
    .option('--set <file>', 'replace all rules by those of this JSON file; - is standard input')
    .addHelpText(
      'after',
      example(
        'holdfast fraud rules',
        'holdfast --json fraud rules > rules.json',
        'holdfast fraud rules --set rules.json',
      ),
    )
    .action(async ({ set }: { set?: string }) => {
      if (set === undefined) {
        await session.show(await session.get('/api/fraud/rules'), 'fraudRules', describe);
        return;
      }
      const rules = await readRules(set, currentFolder);
      if (rules.kind === 'wrong') {
        session.terminal.err(`${rules.problem}\n`);
        session.exitCode = exitCodes.usage;
        return;
      }
      await session.show(await session.put('/api/fraud/rules', rules.content), 'fraudRules', describe);
    });
}

type Read =
  | { readonly kind: 'content'; readonly content: unknown }
  | { readonly kind: 'wrong'; readonly problem: string };

/** What `holdfast --json fraud rules` printed, or the list alone. */
async function readRules(file: string, currentFolder: string): Promise<Read> {
  const source = await readSource(file, currentFolder);
  if (source.kind === 'wrong') return source;
  try {
    const content: unknown = JSON.parse(source.content.toString('utf8'));
    return { kind: 'content', content: Array.isArray(content) ? { rules: content } : content };
  } catch {
    return { kind: 'wrong', problem: `${file} is not JSON` };
  }
}

function describe({ rules }: Resource<'fraudRules'>): string {
  if (rules.length === 0) return 'no rules\n';
  const columns = [
    { title: 'RULE' },
    { title: 'KIND' },
    { title: 'THRESHOLD', align: 'right' as const },
    { title: 'WEIGHT', align: 'right' as const },
    { title: 'ENABLED' },
  ];
  const rows = rules.map(({ name, kind, threshold, weight, enabled }) => [
    ...[name, kind, String(threshold), String(weight)],
    enabled ? 'yes' : 'no',
  ]);
  return table(columns, rows);
}
