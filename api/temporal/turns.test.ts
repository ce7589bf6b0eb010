import { describe, expect, test } from 'vitest';
import { Turns } from './turns.js';

/** Runs until it is stopped. */
function deed(log: string[], name: string) {
  let end: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  const act = () => {
    log.push(name);
    return done;
  };
  return { act, end };
}

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  test('are given to so many at a time under one name, in the order of coming; other names do not wait', async () => {
    const turns = new Turns(2);
    const log: string[] = [];
    const deeds = ['a', 'b', 'c', 'd'].map((name) => deed(log, name));
    const all = deeds.map(({ act }) => turns.take('order', never, act));
    await turns.take('another', never, async () => log.push('other'));
    expect(log).toEqual(['a', 'b', 'other']);
    deeds[1]?.end();
    await settle();
    expect(log).toEqual(['a', 'b', 'other', 'c']);
    deeds[0]?.end();
    await settle();
    expect(log.at(-1)).toBe('d');
    for (const { end } of deeds) end();
    await Promise.all(all);
  });

  test('pass on when one ends with an error', async () => {
    const turns = new Turns(1);
    const failing = turns.take('order', never, () => Promise.reject(new Error('no')));
    const next = turns.take('order', never, async () => 'done');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('done');
  });

  test('are not taken by those who have given up, and those behind them move up', async () => {
    const turns = new Turns(1);
    const log: string[] = [];
    const [first, third] = [deed(log, 'first'), deed(log, 'third')];
    const givingUp = new AbortController();
    const one = turns.take('order', never, first.act);
    const two = turns.take('order', givingUp.signal, async () => log.push('second'));
    const three = turns.take('order', never, third.act);
    givingUp.abort(new Error('gave up'));
    await expect(two).rejects.toThrow('gave up');
    first.end();
    await one;
    await settle();
    expect(log).toEqual(['first', 'third']);
    third.end();
    await three;
    await expect(turns.take('order', givingUp.signal, async () => 'never')).rejects.toThrow('gave up');
    expect(await turns.take('order', never, async () => 'free again')).toBe('free again');
  });
});
