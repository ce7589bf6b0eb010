import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateFile } from './state-file.js';

let folder: string;
let lines: string[];
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'holdfast-state-')), 'home');
  lines = [];
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));
const open = (content: () => string) => new StateFile(join(folder, 'dev.json'), content, (line) => lines.push(line));

describe('a state file', () => {
  test('that cannot be written is reported once and written later, with the content current by then', async () => {
    let pid = 1;
    const file = open(() => String(pid));
    file.update();
    pid = 2;
    file.update();
    expect(lines).toEqual([expect.stringMatching(/dev\.json cannot be written and may be out of date: ENOENT/)]);
    pid = 3;
    mkdirSync(folder);
    await expect.poll(() => existsSync(join(folder, 'dev.json'))).toBe(true);
    expect(readFileSync(join(folder, 'dev.json'), 'utf8')).toBe('3');
    expect(lines[1]).toBe('dev.json is written again');
    // No more retries: the next change is written at the next update.
    pid = 4;
    await sleep(1200);
    expect(readFileSync(join(folder, 'dev.json'), 'utf8')).toBe('3');
  });

  test('that is removed while its write is being retried does not come back', async () => {
    const file = open(() => 'old');
    file.update();
    file.remove();
    mkdirSync(folder);
    await sleep(1200);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that cannot be removed is reported and throws nothing', () => {
    mkdirSync(join(folder, 'dev.json'), { recursive: true });
    open(() => '').remove();
    expect(lines).toEqual([expect.stringContaining('dev.json cannot be removed')]);
  });
});
