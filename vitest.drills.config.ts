import { defineConfig } from 'vitest/config';

/** Kills one process at a time and waits for the next to take over: two stacks fit on the machine at once. */
const kills = ['adoption', 'crash', 'ending', 'refunds', 'replenishment', 'stripe', 'transfers'].map(
  (name) => `test/drills/${name}.drill.ts`,
);

const shared = {
  testTimeout: 300_000,
  expect: { poll: { timeout: 20_000 } },
  hookTimeout: 180_000,
};

/** The full matrix of crashes, races and faults. Each file starts stacks of its own. */
export default defineConfig({
  test: {
    teardownTimeout: 20_000,
    projects: [
      { test: { ...shared, name: 'kills', include: kills, maxWorkers: 2, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...shared,
          name: 'alone',
          include: ['test/drills/**/*.drill.ts'],
          exclude: kills,
          // These measure or fill the machine, so each has it for itself.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
