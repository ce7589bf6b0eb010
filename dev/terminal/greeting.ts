/** What the terminal shows when the stack is ready. */
import type { DevJson } from '../home/dev-json.js';

export function greeting(dev: DevJson, home: string, sku: string, secondsToReady: number): string {
  const rows: readonly (readonly [string, string])[] = [
    ['API', dev.apiUrl],
    ['API reference', `${dev.apiUrl}/docs`],
    ['Temporal UI', dev.temporalUiUrl ?? `elsewhere (${dev.temporalAddress})`],
    ['Sandbox', dev.sandboxUrl],
    ['Postgres', withoutPassword(dev.databaseUrl)],
    ['Home', `${home} (addresses, key and pids in dev.json, logs in logs/)`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const order = { lines: [{ sku, quantity: 2 }], payment: { cardToken: 'tok_visa' }, confirm: true };
  return [
    '',
    `Holdfast is ready after ${secondsToReady.toFixed(1)} s. Ctrl-C stops it.`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    '',
    'A first order:',
    '',
    `curl -s -X POST ${dev.apiUrl}/api/orders \\`,
    `  -H 'Authorization: Bearer ${dev.apiKey}' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(order)}'`,
    '',
  ].join('\n');
}

function withoutPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.password = '';
  return url.href;
}
