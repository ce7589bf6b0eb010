import { expect, test } from 'vitest';
import { functionsOf, readFunctionFiles } from './functions.js';

const files = readFunctionFiles();

test('each function stands once in all files', () => {
  const names = files.flatMap(functionsOf);
  expect(names).toContain('order_apply');
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test.each(files.map((file) => [file.name, file] as const))(
  '%s replaces what it defines, and does nothing else',
  (_name, file) => {
    // Bodies and comments left out, what begins a line begins a statement.
    const statements = file.text.replace(/\$\$.*?\$\$/gs, '').replace(/--.*$/gm, '');
    const beginnings = statements.match(
      /^(create|drop|alter|insert|update|delete|do|grant|revoke|select|set local)\b.*$/gim,
    );
    for (const statement of beginnings ?? [])
      expect(statement).toMatch(/^(create or replace (function|trigger)|drop function if exists|set \w+ = ) ?/);
    expect(functionsOf(file)).toHaveLength(statements.match(/(?<!execute )\bfunction\s+\w+\s*\(/g)?.length ?? 0);
  },
);
