import { expect, it } from 'vitest';
import { progressBar, statusLines } from './progress.js';

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

it('lines say a state when it changes and every ten seconds, and the expected one only once it lasts', () => {
  const told: string[] = [];
  let seconds = 0;
  const say = statusLines(
    (line) => void told.push(`${seconds} ${line}`),
    'working',
    () => seconds * 1000,
  );
  for (; seconds < 25; seconds++) say('waiting', 'waits');
  for (; seconds < 40; seconds++) say('working', `works since ${seconds - 25}`);
  expect(told).toEqual(['0 waits', '10 waits', '20 waits', '25 works since 0', '35 works since 10']);

  told.length = seconds = 0;
  const other = statusLines(
    (line) => void told.push(`${seconds} ${line}`),
    'working',
    () => seconds * 1000,
  );
  for (; seconds < 15; seconds++) other('working', 'works');
  expect(told).toEqual(['10 works']);
});
