/** Runs before each test file of the stack: for code that knows the environment only. */
import { dirname } from 'node:path';
import { inject } from 'vitest';

process.env.HOLDFAST_TEST_DATABASE_URL = inject('databaseUrl');
// Every process of the run is of the same build, whatever happens to the sources meanwhile.
process.env.HOLDFAST_BUILD = dirname(inject('bundlePath'));
