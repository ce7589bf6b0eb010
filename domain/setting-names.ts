/** The names of all settings, and which variables of an environment look like a misspelt one. Pure. */
import { distance } from 'fastest-levenshtein';

/** Of every process: README.md describes them. */
const settings = [
  'ADMISSION_LIMIT',
  'ALLOW_LIVE_PAYMENTS',
  'API_HOST',
  'API_PORT',
  'CUSTOMER_AMOUNT_PER_DAY',
  'CUSTOMER_PAYMENTS_PER_MINUTE',
  'DATABASE_TIMEOUT_SECONDS',
  'DATABASE_URL',
  'DELIVERY_CHECK_SECONDS',
  'DELIVERY_MAX_DAYS',
  'DRAFT_TTL_SECONDS',
  'DUNNING_WAITS_SECONDS',
  'EXPIRY_SWEEP_SECONDS',
  'FRAUD_SCORER',
  'FRAUD_WHEN_DOWN',
  'GATEWAY_ALLOW_HOSTS',
  'GATEWAY_TIMEOUT_SECONDS',
  'HOLDFAST_HOME',
  'INSTALLATION',
  'LOG_LEVEL',
  'MANAGERS_EMAIL',
  'METRICS_HOST',
  'MIGRATE_DATABASE_URL',
  'OUTBOX_CLAIM_SECONDS',
  'PAYMENT_GATEWAY',
  'RATE_LIMIT_PER_MINUTE',
  'RECONCILIATION_GRACE_SECONDS',
  'RESERVATION_TTL_SECONDS',
  'RESTART_MAX_WAIT_SECONDS',
  'RETRY_BASE_SCALE',
  'STRIPE_API_BASE',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'SUPPLIER_MAX_DELAYED',
  'SUPPLIER_RECHECK_SECONDS',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_CLI_PATH',
  'TEMPORAL_NAMESPACE',
  'TRUSTED_PROXIES',
  'UNAUTHENTICATED_RATE_LIMIT_PER_MINUTE',
  'WAREHOUSE_EMAIL',
  'WORKER_METRICS_PORT',
  'WORKERS',
  'WORKFLOW_TASK_TIMEOUT_SECONDS',
] as const;

/** Of the command line, the sandbox, docker-compose.yml and the tests, or passed from one process to another. */
const others = [
  ...(['HOLDFAST_API_KEY', 'HOLDFAST_API_URL', 'HOLDFAST_BOOTSTRAP_API_KEY'] as const),
  ...(['HOLDFAST_BUILD', 'HOLDFAST_BUNDLE', 'HOLDFAST_CRASH_POINTS', 'HOLDFAST_TEST_DATABASE_URL'] as const),
  ...(['SANDBOX_ALLOWED_HOSTS', 'SANDBOX_HOME', 'SANDBOX_HOST', 'SANDBOX_HTTP_PORT'] as const),
  ...(['SANDBOX_PORT', 'SANDBOX_SMTP_PORT', 'SANDBOX_URL', 'SMTP_URL'] as const),
  ...(['POSTGRES_APP_PASSWORD', 'POSTGRES_PASSWORD', 'TEMPORAL_DB_PASSWORD'] as const),
  ...(['TEMPORAL_PORT', 'TEMPORAL_UI_PORT'] as const),
] as const;

export const settingNames: readonly string[] = [...settings, ...others];

/** A shorter name is too close to variables of other programs, such as `APP_PORT`, for one letter in place of another. */
const longNameLength = 10;

/** One warning for each variable that is no setting and looks like a misspelt one. Repeats no values. */
export function misspeltSettings(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.keys(env)
    .filter((name) => env[name] !== undefined && !settingNames.includes(name))
    .sort()
    .flatMap((name) => {
      const meant = settingNames.find((setting) => isMisspelt(name, setting));
      return meant === undefined ? [] : [`${name} is no setting and has no effect: did you mean ${meant}?`];
    });
}

function isMisspelt(name: string, setting: string): boolean {
  const written = name.toUpperCase().replaceAll('-', '_');
  // Longer ones cannot be near, and comparing takes as long as the product of both lengths.
  if (Math.abs(written.length - setting.length) > 2) return false;
  const edits = distance(written, setting);
  if (edits === 0) return true;
  if (edits > 2 || isOtherWord(written, setting)) return false;
  const isSwapped = edits === 2 && hasSameLetters(written, setting);
  return setting.length >= longNameLength || isSwapped || (edits === 1 && written.length !== setting.length);
}

/** Whether the two differ in one short word, which is then another word: `HOST` is no misspelt `PORT`. */
function isOtherWord(written: string, setting: string): boolean {
  const [words, meant] = [written.split('_'), setting.split('_')];
  if (words.length !== meant.length) return false;
  return words.some((word, place) => {
    const other = meant[place] ?? '';
    return other.length <= 4 && distance(word, other) > 1 && !hasSameLetters(word, other);
  });
}

function hasSameLetters(one: string, other: string): boolean {
  return [...one].sort().join('') === [...other].sort().join('');
}
