import { expect, test } from 'vitest';
import { functionsOf, readFunctionFiles } from './functions.js';

const files = readFunctionFiles();

test('the files define each function once', () => {
  const names = files.flatMap(functionsOf);
  expect(names).toContain('order_apply');
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test.each(files.map((file) => [file.name, file] as const))(
  '%s only creates or replaces functions and triggers, or drops functions',
  (_name, file) => {
    // Without bodies and comments, each statement begins a line.
    const statements = file.text.replace(/\$\$.*?\$\$/gs, '').replace(/--.*$/gm, '');
    const beginnings = statements.match(
      /^(create|drop|alter|insert|update|delete|do|grant|revoke|select|set local)\b.*$/gim,
    );
    for (const statement of beginnings ?? [])
      expect(statement).toMatch(/^(create or replace (function|trigger)|drop function if exists|set \w+ = ) ?/);
    expect(functionsOf(file)).toHaveLength(statements.match(/(?<!execute )\bfunction\s+\w+\s*\(/g)?.length ?? 0);
  },
);
