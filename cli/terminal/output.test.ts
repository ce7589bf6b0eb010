import { describe, expect, it } from 'vitest';
import { describeProblem, fields, moment, preciseMoment, table } from './output.js';

describe('terminal output', () => {
  it('makes columns as wide as their widest cell and right-aligns numbers', () => {
    expect(
      table(
        [{ title: 'SKU' }, { title: 'N', align: 'right' }, { title: 'WHY' }],
        [
          ['MUG-1', 7, null],
          ['T', 1200, ''],
        ],
      ),
    ).toBe('SKU       N  WHY\nMUG-1     7  -\nT      1200\n');
  });

  it('shows the titles of a table without rows', () => {
    expect(table([{ title: 'SKU' }, { title: 'NAME' }], [])).toBe('SKU  NAME\n');
  });

  it('leaves out null fields', () => {
    expect(
      fields([
        ['order', 'ord_1'],
        ['held until', null],
        ['n', 0],
      ]),
    ).toBe('order  ord_1\nn      0\n');
  });

  it('never passes a control character on to the terminal', () => {
    const evil = 'a\u001b[2Jb\r\n\u009b\u202e';
    for (const text of [
      fields([['name', evil]]),
      table([{ title: 'NAME' }], [[evil]]),
      describeProblem({ code: 'not_found', detail: evil }),
    ])
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}/u);
    expect(fields([['name', evil]])).toContain('b');
  });

  it('shows a problem with every wrong field', () => {
    expect(
      describeProblem({
        code: 'validation_failed',
        detail: 'the body is wrong',
        requestId: 'req_1',
        errors: [
          { pointer: '/lines/0/sku', code: 'unknown_sku', detail: 'there is no product X' },
          { pointer: '', code: 'invalid', detail: 'expected an object' },
        ],
      }),
    ).toBe(
      'validation_failed: the body is wrong\n  /lines/0/sku  unknown_sku: there is no product X\n  /  invalid: expected an object\n',
    );
  });

  it('shows a code once if a problem and its field share it', () => {
    const errors = [{ pointer: '/sku', code: 'unknown_sku', detail: 'there is no product X' }];
    expect(describeProblem({ code: 'unknown_sku', detail: 'not valid: /sku', errors })).toBe(
      'unknown_sku: not valid: /sku\n  /sku  there is no product X\n',
    );
  });

  it('names the order a problem is about, and the request if only the log can tell more', () => {
    expect(describeProblem({ code: 'insufficient_stock', detail: 'd', orderId: 'ord_1', requestId: 'req_1' })).toBe(
      'insufficient_stock: d\n  order ord_1\n',
    );
    expect(describeProblem({ code: 'internal', detail: 'd', requestId: 'req_1' })).toBe(
      'internal: d\n  request req_1\n',
    );
  });

  it('writes times to the second, and to the millisecond in a timeline', () => {
    expect(moment('2026-11-21T05:41:07.123456Z')).toBe('2026-11-21 05:41:07Z');
    expect(moment('2026-11-21T05:41:07Z')).toBe('2026-11-21 05:41:07Z');
    expect(preciseMoment('2026-11-21T05:41:07.123456Z')).toBe('2026-11-21 05:41:07.123Z');
    expect(preciseMoment('2026-11-21T05:41:07.1Z')).toBe('2026-11-21 05:41:07.1Z');
  });
});
