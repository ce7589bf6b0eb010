/** One stack for the whole test run: two workers and two API processes on one database and one Temporal server. */
import type { TestProject } from 'vitest/node';
import { startSecondApi } from './second-api.js';
import { noRateLimits, webhookSecrets } from './settings.js';
import { startStack } from './stack.js';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly apiUrls: readonly string[];
    /** Has every scope. */
    readonly apiKey: string;
    readonly databaseUrl: string;
    readonly sandboxUrl: string;
    readonly temporalAddress: string;
    readonly temporalNamespace: string;
    readonly home: string;
  }
}

/** Retry waits at a thousandth, short timeouts and supplier checks, no rate limits. */
const settings = {
  WORKERS: '2',
  RETRY_BASE_SCALE: '0.001',
  GATEWAY_TIMEOUT_SECONDS: '1',
  SUPPLIER_RECHECK_SECONDS: '0.4',
  DELIVERY_CHECK_SECONDS: '0.3',
  ...noRateLimits,
  // The tests' own suppliers.
  GATEWAY_ALLOW_HOSTS: '127.0.0.1',
  STRIPE_WEBHOOK_SECRET: webhookSecrets.join(','),
};

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack(settings);
  const second = await startSecondApi(stack, settings).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  project.provide('apiUrls', [stack.apiUrl, second.url]);
  project.provide('apiKey', stack.apiKey);
  project.provide('databaseUrl', stack.databaseUrl);
  project.provide('sandboxUrl', stack.sandboxUrl);
  project.provide('temporalAddress', stack.temporalAddress);
  project.provide('temporalNamespace', stack.temporalNamespace);
  project.provide('home', stack.home);
  return async () => {
    await second.stop();
    await stack.stop();
  };
}
