import { expect, it } from 'vitest';
import { progressBar } from './progress.js';

function drawn(interactive: boolean): string[] {
  const shown: string[] = [];
  const terminal = { out: () => undefined, err: (text: string) => void shown.push(text), interactive };
  const progress = progressBar(terminal, 200, 'operations');
  for (const done of [0, 100, 200]) progress(done);
  return shown;
}

it('a bar grows on a terminal and clears its line at the end', () => {
  expect(drawn(true)).toEqual([
    '\r[..............................] 0/200 operations',
    '\r[###############...............] 100/200 operations',
    '\r\u{1b}[K',
  ]);
});

it('no bar is drawn if nobody watches', () => {
  expect(drawn(false)).toEqual([]);
});
