import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findConnection } from './settings.js';

let base: string;
let folders: { current: string; projectRoot: string };

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'cli-connection-'));
  folders = { current: join(base, 'here'), projectRoot: join(base, 'project') };
});
afterEach(() => rmSync(base, { recursive: true }));

function writeDevFile(home: string, content: unknown): void {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'dev.json'), typeof content === 'string' ? content : JSON.stringify(content));
}

const connectionTo = (apiUrl: string, apiKey: string) => ({ kind: 'connection', connection: { apiUrl, apiKey } });

describe("the API's address", () => {
  it('comes from the environment, even if a stack runs here', () => {
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://dev', apiKey: 'k1' });
    const env = { HOLDFAST_API_URL: 'https://set.example/base/', HOLDFAST_API_KEY: 'k2' };
    expect(findConnection(env, folders)).toEqual(connectionTo('https://set.example/base', 'k2'));
  });

  it("comes from the current folder's stack, else from the project's", () => {
    writeDevFile(join(folders.projectRoot, '.holdfast'), { apiUrl: 'http://project', apiKey: 'k' });
    expect(findConnection({}, folders)).toEqual(connectionTo('http://project', 'k'));
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://here', apiKey: 'k', pids: {} });
    expect(findConnection({}, folders)).toEqual(connectionTo('http://here', 'k'));
  });

  it('comes only from HOLDFAST_HOME if that is set, absolute or relative to the current folder', () => {
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://here', apiKey: 'k' });
    writeDevFile(join(folders.current, 'other'), { apiUrl: 'http://other', apiKey: 'k' });
    expect(findConnection({ HOLDFAST_HOME: 'other' }, folders)).toEqual(connectionTo('http://other', 'k'));
    expect(findConnection({ HOLDFAST_HOME: join(base, 'none') }, folders)).toMatchObject({
      kind: 'none',
      detail: expect.stringContaining(join(base, 'none')),
    });
  });

  it('never gets the key from dev.json if it was set by hand', () => {
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://here', apiKey: 'secret' });
    expect(findConnection({ HOLDFAST_API_URL: 'http://elsewhere' }, folders)).toMatchObject({ kind: 'wrong' });
  });

  it('can be combined with a key other than the one in dev.json', () => {
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://here', apiKey: 'k1' });
    expect(findConnection({ HOLDFAST_API_KEY: 'k2' }, folders)).toEqual(connectionTo('http://here', 'k2'));
  });

  it.each([
    '{',
    '[]',
    '{"apiUrl": 1, "apiKey": "k"}',
    '{"apiUrl": "ftp://x", "apiKey": "k"}',
    '{"apiUrl": "", "apiKey": "k"}',
  ])('is not guessed from the broken dev.json %j', (content) => {
    writeDevFile(join(folders.current, '.holdfast'), content);
    expect(findConnection({}, folders)).toMatchObject({ kind: 'wrong' });
  });

  it('is refused without repeating a malformed key', () => {
    const found = findConnection({ HOLDFAST_API_URL: 'http://x', HOLDFAST_API_KEY: 'hf secret' }, folders);
    expect(found.kind).toBe('wrong');
    expect(JSON.stringify(found)).not.toContain('secret');
  });
});
