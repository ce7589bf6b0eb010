import { defineConfig } from 'vitest/config';

/** The full matrix of crashes, races and faults: each file starts stacks of its own and needs the machine for itself. */
export default defineConfig({
  test: {
    include: ['test/drills/**/*.drill.ts'],
    fileParallelism: false,
    passWithNoTests: true,
    testTimeout: 300_000,
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
  },
});
