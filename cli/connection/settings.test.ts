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

describe('where the API is', () => {
  it('is what the environment says, before any stack that runs here', () => {
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://dev', apiKey: 'k1' });
    const env = { HOLDFAST_API_URL: 'https://set.example/base/', HOLDFAST_API_KEY: 'k2' };
    expect(findConnection(env, folders)).toEqual(connectionTo('https://set.example/base', 'k2'));
  });

  it('is the stack of the current folder, then that of the project', () => {
    writeDevFile(join(folders.projectRoot, '.holdfast'), { apiUrl: 'http://project', apiKey: 'k' });
    expect(findConnection({}, folders)).toEqual(connectionTo('http://project', 'k'));
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://here', apiKey: 'k', pids: {} });
    expect(findConnection({}, folders)).toEqual(connectionTo('http://here', 'k'));
  });

  it('is only the stack of HOLDFAST_HOME where that is set, relative to the current folder too', () => {
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://here', apiKey: 'k' });
    writeDevFile(join(folders.current, 'other'), { apiUrl: 'http://other', apiKey: 'k' });
    expect(findConnection({ HOLDFAST_HOME: 'other' }, folders)).toEqual(connectionTo('http://other', 'k'));
    expect(findConnection({ HOLDFAST_HOME: join(base, 'none') }, folders)).toMatchObject({
      kind: 'none',
      detail: expect.stringContaining(join(base, 'none')),
    });
  });

  it('never gets the key of a dev.json where its address was set by hand', () => {
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://here', apiKey: 'secret' });
    expect(findConnection({ HOLDFAST_API_URL: 'http://elsewhere' }, folders)).toMatchObject({ kind: 'wrong' });
  });

  it('may be asked with another key than that of dev.json', () => {
    writeDevFile(join(folders.current, '.holdfast'), { apiUrl: 'http://here', apiKey: 'k1' });
    expect(findConnection({ HOLDFAST_API_KEY: 'k2' }, folders)).toEqual(connectionTo('http://here', 'k2'));
  });

  it.each([
    '{',
    '[]',
    '{"apiUrl": 1, "apiKey": "k"}',
    '{"apiUrl": "ftp://x", "apiKey": "k"}',
    '{"apiUrl": "", "apiKey": "k"}',
  ])('is not guessed from the dev.json %j', (content) => {
    writeDevFile(join(folders.current, '.holdfast'), content);
    expect(findConnection({}, folders)).toMatchObject({ kind: 'wrong' });
  });

  it('never repeats a key that is wrong', () => {
    const found = findConnection({ HOLDFAST_API_URL: 'http://x', HOLDFAST_API_KEY: 'hf secret' }, folders);
    expect(found.kind).toBe('wrong');
    expect(JSON.stringify(found)).not.toContain('secret');
  });
});
