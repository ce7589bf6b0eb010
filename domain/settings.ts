/**
 * The settings of every process, read once from the environment and checked at start. Pure: the environment comes in as
 * an argument.
 */

import { type AllowedHost, destinationOf, parseAllowedHost } from './addresses.js';
import { type PaymentSettings, readPaymentSettings } from './payment-settings.js';
import { availableGateways, type GatewayName } from './payments/gateways.js';
import { readStripeSettings, type StripeSettings } from './stripe-settings.js';

export interface Settings {
  /** The address or host name on which the API listens. */
  readonly apiHost: string;
  readonly apiPort: number;
  /** Whether the port was set: a taken port is then an error; otherwise a free one replaces it. */
  readonly apiPortFixed: boolean;
  readonly databaseUrl: string | null;
  /** The role that owns the database, for migrations; null: the one of `databaseUrl`. */
  readonly migrateDatabaseUrl: string | null;
  /** How long a query may take. */
  readonly databaseTimeoutSeconds: number;
  readonly temporalAddress: string | null;
  readonly temporalNamespace: string;
  /** The server hands a killed worker's workflow task to another worker after this time. */
  readonly workflowTaskTimeoutSeconds: number;
  readonly reservationTtlSeconds: number;
  readonly draftTtlSeconds: number;
  readonly expirySweepSeconds: number;
  /** First wait before asking a supplier again; later waits double. */
  readonly supplierRecheckSeconds: number;
  /** 'delayed' answers that a supplier may give; one more fails the order. */
  readonly supplierMaxDelayed: number;
  readonly deliveryCheckSeconds: number;
  readonly deliveryMaxDays: number;
  /** Outbox rows of a killed worker are free for other workers after this time. */
  readonly outboxClaimSeconds: number;
  /** Receives notices of large movements. */
  readonly warehouseEmail: string;
  /** Receives notices of low stock and failed replenishments. */
  readonly managersEmail: string;
  /** Factor on the wait before every retry. */
  readonly retryBaseScale: number;
  /** The processor of new payments. */
  readonly paymentGateway: GatewayName;
  readonly stripe: StripeSettings;
  readonly payments: PaymentSettings;
  readonly gatewayTimeoutSeconds: number;
  /** Hosts that clients may make us call at any address; includes the sandbox. */
  readonly gatewayAllowHosts: readonly AllowedHost[];
  readonly workers: number;
  /** Longest wait before the embedded stack restarts a server that keeps ending. */
  readonly restartMaxWaitSeconds: number;
  /** The host on which a worker serves its metrics. */
  readonly metricsHost: string;
  /** 0: a free port, which the worker logs. */
  readonly workerMetricsPort: number;
  readonly rateLimitPerMinute: number;
  /** Sagas that an API process runs at the same time; null: as many as are decided quickly. */
  readonly admissionLimit: number | null;
  /** Requests a minute from one address without a valid key. */
  readonly unauthenticatedRateLimitPerMinute: number;
  /** Proxies whose `X-Forwarded-For` is trusted. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: LogLevel;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof logLevels)[number];

export type SettingsResult =
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

const maxUrlLength = 2000;

type Env = Readonly<Record<string, string | undefined>>;

/** Parses the settings. Reports every wrong one with the expected and the actual value. */
export function parseSettings(env: Env): SettingsResult {
  const problems: string[] = [];
  const number = (name: string, fallback: number, min: number, max: number, whole = true): number => {
    const text = env[name];
    if (text === undefined || text === '') return fallback;
    const value = Number(text);
    const fits = Number.isFinite(value) && value >= min && value <= max && (!whole || Number.isInteger(value));
    if (fits && text.trim() === text) return value;
    problems.push(`${name} must be ${whole ? 'a whole' : 'a'} number from ${min} to ${max}, not "${text}"`);
    return fallback;
  };
  const oneOf = <T extends string>(name: string, fallback: T, allowed: readonly T[]): T => {
    const text = env[name];
    if (text === undefined || text === '') return fallback;
    const found = allowed.find((candidate) => candidate === text);
    if (found === undefined) problems.push(`${name} must be one of ${allowed.join(', ')}, not "${text}"`);
    return found ?? fallback;
  };
  const url = (name: string, protocols: readonly string[]): string | null => {
    const text = env[name];
    if (text === undefined || text === '') return null;
    // The value may contain a password and is never repeated. Parsing a long host name takes quadratic time.
    if (text.length > maxUrlLength || !URL.canParse(text) || !protocols.includes(new URL(text).protocol))
      problems.push(`${name} must be a URL that starts with ${protocols.join(' or ')}`);
    return text;
  };
  const email = (name: string, fallback: string): string => {
    const text = env[name];
    if (text === undefined || text === '') return fallback;
    if (!/^[^\s@]+@[^\s@]+$/.test(text)) problems.push(`${name} must be a mail address, not "${text}"`);
    return text;
  };
  const hostAndPort = (name: string): string | null => {
    const text = env[name];
    if (text === undefined || text === '') return null;
    if (!/^[^\s/:]+:\d{1,5}$/.test(text)) problems.push(`${name} must be host:port, not "${text}"`);
    return text;
  };
  const hosts = (name: string): readonly AllowedHost[] =>
    (env[name] ?? '').split(',').flatMap((part) => {
      const text = part.trim();
      const host = text === '' ? null : parseAllowedHost(text);
      if (text !== '' && host === null) problems.push(`${name} must be a list of host or host:port, not "${text}"`);
      return host === null ? [] : [host];
    });

  const host = (name: string): string => {
    const text = env[name];
    if (text === undefined || text === '') return '127.0.0.1';
    if (!/^[A-Za-z0-9.:_-]{1,253}$/.test(text))
      problems.push(`${name} must be an address or a host name, not "${text}"`);
    return text;
  };
  const proxies = (name: string): readonly string[] => {
    const entries = (env[name] ?? '').split(',').map((entry) => entry.trim());
    const named = entries.filter((entry) => entry !== '');
    const wrong = named.find(
      (entry) => !/^(?:loopback|linklocal|uniquelocal|[0-9a-fA-F:.]{2,45}(?:\/\d{1,3})?)$/.test(entry),
    );
    if (wrong !== undefined)
      problems.push(`${name} must be addresses or networks, separated by commas, not "${wrong}"`);
    return named;
  };

  const settings: Settings = {
    apiHost: host('API_HOST'),
    apiPort: number('API_PORT', 3000, 1, 65_535),
    apiPortFixed: (env.API_PORT ?? '') !== '',
    databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    migrateDatabaseUrl: url('MIGRATE_DATABASE_URL', ['postgres:', 'postgresql:']),
    databaseTimeoutSeconds: number('DATABASE_TIMEOUT_SECONDS', 5, 0.5, 60, false),
    temporalAddress: hostAndPort('TEMPORAL_ADDRESS'),
    temporalNamespace: env.TEMPORAL_NAMESPACE || 'default',
    workflowTaskTimeoutSeconds: number('WORKFLOW_TASK_TIMEOUT_SECONDS', 5, 1, 60, false),
    reservationTtlSeconds: number('RESERVATION_TTL_SECONDS', 900, 1, 31_536_000),
    draftTtlSeconds: number('DRAFT_TTL_SECONDS', 86_400, 1, 31_536_000),
    expirySweepSeconds: number('EXPIRY_SWEEP_SECONDS', 60, 1, 86_400),
    supplierRecheckSeconds: number('SUPPLIER_RECHECK_SECONDS', 15, 0.1, 86_400, false),
    supplierMaxDelayed: number('SUPPLIER_MAX_DELAYED', 2, 0, 100),
    deliveryCheckSeconds: number('DELIVERY_CHECK_SECONDS', 3600, 0.1, 604_800, false),
    deliveryMaxDays: number('DELIVERY_MAX_DAYS', 60, 0.00001, 3650, false),
    outboxClaimSeconds: number('OUTBOX_CLAIM_SECONDS', 10, 2, 300, false),
    warehouseEmail: email('WAREHOUSE_EMAIL', 'warehouse@holdfast.example'),
    managersEmail: email('MANAGERS_EMAIL', 'managers@holdfast.example'),
    retryBaseScale: number('RETRY_BASE_SCALE', 1, 0.0001, 1000, false),
    paymentGateway: oneOf('PAYMENT_GATEWAY', 'sandbox', availableGateways),
    stripe: readStripeSettings(env, problems),
    payments: readPaymentSettings(env, problems),
    gatewayTimeoutSeconds: number('GATEWAY_TIMEOUT_SECONDS', 10, 0.1, 300, false),
    gatewayAllowHosts: [...hosts('GATEWAY_ALLOW_HOSTS'), ...hostOfUrl(url('SANDBOX_URL', ['http:', 'https:']))],
    workers: number('WORKERS', 1, 1, 64),
    restartMaxWaitSeconds: number('RESTART_MAX_WAIT_SECONDS', 2.5, 0.1, 60, false),
    metricsHost: host('METRICS_HOST'),
    workerMetricsPort: number('WORKER_METRICS_PORT', 0, 0, 65_535),
    rateLimitPerMinute: number('RATE_LIMIT_PER_MINUTE', 6000, 1, 100_000_000),
    admissionLimit: number('ADMISSION_LIMIT', 0, 0, 10_000) || null,
    unauthenticatedRateLimitPerMinute: number('UNAUTHENTICATED_RATE_LIMIT_PER_MINUTE', 600, 1, 100_000_000),
    trustedProxies: proxies('TRUSTED_PROXIES'),
    logLevel: oneOf('LOG_LEVEL', 'info', logLevels),
  };
  return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'settings', settings };
}

function hostOfUrl(url: string | null): readonly AllowedHost[] {
  return url !== null && URL.canParse(url) ? [destinationOf(new URL(url))] : [];
}
