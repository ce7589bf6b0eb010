/** The environment of our servers. */
import { join } from 'node:path';
import { buildRoot } from '../home/paths.js';

export interface Addresses {
  readonly home: string;
  /** For the role that API and workers run as. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  readonly sandboxUrl: string;
  readonly smtpUrl: string;
  readonly apiPort: number;
}

/** The given settings, with the chosen addresses. */
export function serverEnvironment(base: NodeJS.ProcessEnv, addresses: Addresses): NodeJS.ProcessEnv {
  // The owner's URL is for migrations only.
  const { MIGRATE_DATABASE_URL: _, ...settings } = base;
  return {
    ...settings,
    HOLDFAST_HOME: addresses.home,
    HOLDFAST_BUILD: buildRoot,
    HOLDFAST_BUNDLE: join(buildRoot, 'workflow-bundle.js'),
    DATABASE_URL: addresses.databaseUrl,
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: addresses.temporalNamespace,
    SANDBOX_URL: addresses.sandboxUrl,
    SMTP_URL: addresses.smtpUrl,
    API_PORT: String(addresses.apiPort),
  };
}
