/** Switches on crash points: places where a worker kills itself (workers/interceptors/crash-points.ts). */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../shop.js';

/**
 * Makes the next worker that reaches `place` kill itself. Returns a function that waits until that has happened.
 * @param folder HOLDFAST_CRASH_POINTS of the stack
 * @param place `<activity>.<phase>`, or a place of the relay
 * @param about text that must occur in the work at hand; empty for any work
 */
export function crashAt(folder: string, place: string, about = ''): () => Promise<void> {
  const crashes = () => readdirSync(folder).filter((file) => file.startsWith(`${place}.taken.`)).length;
  const before = crashes();
  writeFileSync(join(folder, place), about);
  return async () => {
    await eventually(`${place} to have killed a worker`, async () => crashes() > before);
  };
}
