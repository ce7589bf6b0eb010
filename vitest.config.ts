import { defineConfig } from 'vitest/config';

/** A test's folder says what it needs, and each kind is started with no more than that. */
export default defineConfig({
  test: {
    // The servers under test share the machine with the tests.
    maxWorkers: 2,
    teardownTimeout: 20_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{domain,workflows,activities,gateways,db,api,workers,sandbox,cli,dev}/**/*.test.ts',
            'test/check/**/*.test.ts',
          ],
          // The linter and the compiler run here as well, on machines that are busy.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
      {
        test: {
          name: 'bundle',
          include: ['test/bundle/**/*.test.ts'],
          globalSetup: ['test/setup/build.ts'],
          // The compiler runs here, on machines that are busy.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'database',
          include: ['test/database/**/*.test.ts'],
          globalSetup: ['test/setup/postgres.ts'],
          setupFiles: ['test/setup/own-database.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
      {
        test: {
          name: 'workflows',
          include: ['test/workflows/**/*.test.ts'],
          globalSetup: ['test/setup/build.ts', 'test/setup/temporal.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'stack',
          include: ['test/stack/**/*.test.ts'],
          globalSetup: ['test/setup/build.ts', 'test/setup/global.ts'],
          setupFiles: ['test/setup/environment.ts'],
          testTimeout: 180_000,
          expect: { poll: { timeout: 20_000 } },
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
