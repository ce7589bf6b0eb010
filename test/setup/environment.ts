/** Runs before each stack test file, for code that reads only the environment. */
import { dirname } from 'node:path';
import { inject } from 'vitest';

process.env.HOLDFAST_TEST_DATABASE_URL = inject('databaseUrl');
// All processes of the run use the same build, even if the sources change.
process.env.HOLDFAST_BUILD = dirname(inject('bundlePath'));
