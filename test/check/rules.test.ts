import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../api/system/metrics.js';
import { projectRoot } from '../../dev/home/paths.js';
import { createWorkerMetrics } from '../../workers/upkeep/metrics.js';

const folder = join(projectRoot, 'deploy/prometheus');

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
}
const file: { groups: { rules: Rule[] }[] } = parse(readFileSync(join(folder, 'holdfast.rules.yml'), 'utf8'));
const rules = file.groups.flatMap((group) => group.rules);

/** The metrics a registry serves, with the series of each histogram. */
async function served(registry: ReturnType<typeof createMetrics>['registry']): Promise<string[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.flatMap(({ name, type }) =>
    String(type) === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name],
  );
}

describe('the rules for Prometheus', () => {
  test('only use metrics that a process serves or a rule records', async () => {
    const known = new Set([
      ...(await served(createMetrics().registry)),
      ...(await served(createWorkerMetrics().registry)),
      ...rules.flatMap(({ record }) => record ?? []),
    ]);
    const named = rules.flatMap(({ expr }) => expr.match(/holdfast[_:][a-z0-9_:]+/g) ?? []);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test('alert on failing, blocked and slow payments, stockouts over 5 %, contention over 10 % and failed replenishments', () => {
    const alerts = rules.flatMap(({ alert, expr }) => (alert === undefined ? [] : [expr]));
    expect(alerts).toEqual([
      'holdfast:payment_success:ratio_rate5m < 0.95',
      'holdfast:payment_fraud:ratio_rate5m > 0.1',
      'holdfast:payment_duration_seconds:mean_rate5m > 30',
      'holdfast:stockout:ratio_rate5m > 0.05',
      'holdfast:lock_contention:ratio_rate5m > 0.1',
      'holdfast:replenishments_failed:increase1h > 0',
    ]);
  });
});
