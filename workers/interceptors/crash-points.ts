/**
 * Places where a drill kills this process with SIGKILL, so that it chooses where a crash happens. Off unless
 * HOLDFAST_CRASH_POINTS names a folder; a drill then puts a file `<activity>.<phase>` there:
 * - `before`: the activity was handed out and has done nothing;
 * - `during`: its first query or request has been sent, and no answer was read; `during2`: its second one, and so on;
 * - `after`: it has done everything, and Temporal does not know yet.
 * An activity of several steps has the places of the activities that do each step alone.
 * The relay has two places without a phase: `relay.claimed` (no workflow started yet) and `relay.started` (no row marked
 * yet).
 * The process that renames the file crashes, so one file is one crash. The file's text must occur in the activity's
 * arguments (an order's id), or in the row that the relay is delivering (`<sku>/<location>`); an empty file matches any.
 */
import { subscribe } from 'node:diagnostics_channel';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Around } from '../../activities/context.js';

const sends = ['during', ...Array.from({ length: 15 }, (_, index) => `during${index + 2}`)];

export interface CrashPoints {
  readonly interceptors: readonly ActivityInterceptorsFactory[];
  /** Surrounds each step of an activity. */
  readonly around: Around;
  /** Call it with each query sent. */
  readonly onQuery: () => void;
  /** Call it at the place of this name. @param about the work in progress there */
  readonly reached: (place: string, about: string) => void;
}

export function crashPoints(folder: string): CrashPoints {
  /** How many queries and requests are sent until this process dies; 0: it does not. */
  let sendsLeft = 0;
  const onSent = () => {
    if (sendsLeft === 0 || --sendsLeft > 0) return;
    // The bytes leave the process in the next turns of the event loop; the answer cannot have been read by then.
    setImmediate(() => setImmediate(() => setImmediate(die)));
  };
  subscribe('undici:client:sendHeaders', onSent);

  const around: Around = async (name, about, act) => {
    const isArmed = (phase: string) => take(folder, `${name}.${phase}`, JSON.stringify(about));
    if (isArmed('before')) die();
    if (sendsLeft === 0) sendsLeft = sends.findIndex(isArmed) + 1;
    const result = await act();
    if (isArmed('after')) die();
    return result;
  };
  const interceptor: ActivityInterceptorsFactory = ({ info }) => ({
    inbound: { execute: (input, next) => around(info.activityType, input.args, () => next(input)) },
  });
  const reached = (place: string, about: string) => {
    if (take(folder, place, about)) die();
  };
  return { interceptors: [interceptor], around, onQuery: onSent, reached };
}

function take(folder: string, name: string, args: string): boolean {
  const path = join(folder, name);
  if (!readdirSync(folder).includes(name) || !args.includes(readFileSync(path, 'utf8').trim())) return false;
  try {
    renameSync(path, join(folder, `${name}.taken.${process.pid}`));
    return true;
  } catch {
    return false; // another worker was faster
  }
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // the signal is on its way: nothing else may happen
}
