/** For `npm run db:generate`: writes the DDL between the schema and the last migration. It connects to nothing. */
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './db/schema/*.ts',
  out: './db/migrations',
});
