import { describe, expect, test } from 'vitest';
import { Turns } from './turns.js';

/** A task that runs until `end` is called. */
function task(log: string[], name: string) {
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
  test('are limited under each name, first come, first served; other names do not wait', async () => {
    const turns = new Turns(2);
    const log: string[] = [];
    const tasks = ['a', 'b', 'c', 'd'].map((name) => task(log, name));
    const all = tasks.map(({ act }) => turns.take('order', never, act));
    await turns.take('another', never, async () => log.push('other'));
    expect(log).toEqual(['a', 'b', 'other']);
    tasks[1]?.end();
    await settle();
    expect(log).toEqual(['a', 'b', 'other', 'c']);
    tasks[0]?.end();
    await settle();
    expect(log.at(-1)).toBe('d');
    for (const { end } of tasks) end();
    await Promise.all(all);
  });

  test('pass on when a task fails', async () => {
    const turns = new Turns(1);
    const failing = turns.take('order', never, () => Promise.reject(new Error('no')));
    const next = turns.take('order', never, async () => 'done');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('done');
  });

  test('skip callers who have given up: those behind them move up', async () => {
    const turns = new Turns(1);
    const log: string[] = [];
    const [first, third] = [task(log, 'first'), task(log, 'third')];
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
