import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bin } from './holdfast.js';

let folder: string;
let hooks: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-startup-'));
  writeFileSync(
    join(folder, 'hooks.mjs'),
    `import { writeSync } from 'node:fs';
     export const load = (url, context, next) => { writeSync(2, url + '\\n'); return next(url, context); };`,
  );
  hooks = join(folder, 'register.mjs');
  writeFileSync(hooks, `import { register } from 'node:module'; register('./hooks.mjs', import.meta.url);`);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The packages and the modules of cli/commands that `holdfast <args>` loads. */
async function loadedBy(...args: readonly string[]): Promise<readonly string[]> {
  const env = { ...process.env, HOLDFAST_API_URL: inject('apiUrls')[0] ?? '', HOLDFAST_API_KEY: inject('apiKey') };
  const child = spawn(process.execPath, ['--import', pathToFileURL(hooks).href, bin, ...args], { env });
  let err = '';
  child.stdout.resume();
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const code = await new Promise((done) => child.once('close', done));
  expect(code, err).toBe(0);
  const names = err
    .split('\n')
    .map((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? /\/(commands\/[\w-]+)\.js$/.exec(url)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

describe('holdfast', () => {
  it('loads only the parser to show its help or version', async () => {
    expect(await loadedBy('--help')).toEqual(['commander']);
    expect(await loadedBy('--version')).toEqual(['commander']);
  });

  it("loads only that command, and no HTTP client, to show a command's help", async () => {
    const files = ['options', 'order', 'order-create', 'order-payment', 'order-view'];
    const order = ['commander', ...files.map((file) => `commands/${file}`)];
    expect(await loadedBy('order', '--help')).toEqual(order);
    expect(await loadedBy('help', 'order', 'create')).toEqual(order);
  });

  it('loads the answer schemas only with an answer', async () => {
    expect(await loadedBy('location', 'list')).toEqual(['commander', 'commands/location', 'commands/options', 'zod']);
  });
});
