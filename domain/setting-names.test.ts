import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { misspeltSettings, settingNames } from './setting-names.js';
import { parseSettings } from './settings.js';

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

describe('the names of the settings', () => {
  test('contain each name that a process reads', () => {
    const asked = new Set<string>();
    const env: Record<string, string> = {};
    parseSettings(
      new Proxy(env, {
        get: (_target, name) => {
          asked.add(String(name));
          return undefined;
        },
      }),
    );
    expect(asked.size).toBeGreaterThan(30);
    expect([...asked].filter((name) => !settingNames.includes(name))).toEqual([]);
  });

  test('contain each name of the README and of docker-compose.yml', () => {
    const table = /## Settings\n(.*?)\n## /s.exec(read('README.md'))?.[1] ?? '';
    const inTable = [...table.matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell = '']) => cell.match(/[A-Z][A-Z_]+/g) ?? []);
    const inCompose = [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name);
    expect(Math.min(inTable.length, inCompose.length)).toBeGreaterThan(30);
    expect([...inTable, ...inCompose].filter((name) => !settingNames.includes(name))).toEqual([]);
  });
});

describe('a variable', () => {
  test.each([
    ['RATE_LIMIT_PER_MINTUE', 'RATE_LIMIT_PER_MINUTE'],
    ['RATELIMIT_PER_MINUTE', 'RATE_LIMIT_PER_MINUTE'],
    ['rate_limit_per_minute', 'RATE_LIMIT_PER_MINUTE'],
    ['PAYMENT_GATWAY', 'PAYMENT_GATEWAY'],
    ['PAYMENTS_GATEWAY', 'PAYMENT_GATEWAY'],
    ['STRIPE_SERCET_KEY', 'STRIPE_SECRET_KEY'],
    ['STRIPE-SECRET-KEY', 'STRIPE_SECRET_KEY'],
    ['DATABASE_ULR', 'DATABASE_URL'],
    ['RESERVATION_TLL_SECONDS', 'RESERVATION_TTL_SECONDS'],
    ['GATEWAY_ALLOWED_HOSTS', 'GATEWAY_ALLOW_HOSTS'],
    ['HOLDFAST_HOEM', 'HOLDFAST_HOME'],
    ['API_PROT', 'API_PORT'],
    ['WORKER', 'WORKERS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
  ])('%s is a misspelt %s, and the warning does not repeat its value', (name, meant) => {
    expect(misspeltSettings({ [name]: 'secret', [meant]: 'set' })).toEqual([
      `${name} is no setting and has no effect: did you mean ${meant}?`,
    ]);
  });

  test('that is a setting is none', () => {
    expect(misspeltSettings(Object.fromEntries(settingNames.map((name) => [name, 'x'])))).toEqual([]);
  });

  test('of a usual environment is none', () => {
    expect(misspeltSettings(Object.fromEntries(usual.map((name) => [name, 'x'])))).toEqual([]);
  });
});

/** What shells, npm, CI servers, containers, clouds and other programs set. */
const usual = `
  PATH HOME USER LOGNAME SHELL SHLVL PWD OLDPWD _ TERM COLORTERM LANG LC_ALL LC_CTYPE LANGUAGE TZ HOSTNAME HOSTTYPE MAIL
  EDITOR VISUAL PAGER LESS LS_COLORS TMPDIR TEMP TMP DISPLAY WAYLAND_DISPLAY SSH_AUTH_SOCK SSH_CONNECTION SSH_TTY
  XDG_RUNTIME_DIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_SESSION_ID DBUS_SESSION_BUS_ADDRESS INVOCATION_ID
  JOURNAL_STREAM NOTIFY_SOCKET LISTEN_FDS SYSTEMD_EXEC_PID MEMORY_PRESSURE_WATCH APPDATA COMSPEC OS PATHEXT SYSTEMROOT
  http_proxy https_proxy no_proxy all_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY SSL_CERT_FILE SSL_CERT_DIR
  NODE NODE_ENV NODE_OPTIONS NODE_PATH NODE_VERSION NODE_EXTRA_CA_CERTS NVM_DIR NVM_BIN YARN_VERSION VOLTA_HOME INIT_CWD
  npm_config_cache npm_config_registry npm_config_userconfig npm_config_prefix npm_execpath npm_node_execpath
  npm_lifecycle_event npm_lifecycle_script npm_package_json npm_package_name npm_package_version npm_command COLOR
  VITEST VITEST_MODE VITEST_POOL_ID VITEST_WORKER_ID TEST PROD DEV BASE_URL MODE SSR FORCE_COLOR NO_COLOR DEBUG
  CI CONTINUOUS_INTEGRATION BUILD_NUMBER BUILD_ID BUILD_URL JOB_NAME JENKINS_URL WORKSPACE EXECUTOR_NUMBER
  GITHUB_ACTIONS GITHUB_API_URL GITHUB_TOKEN GITHUB_WORKSPACE GITHUB_REPOSITORY GITHUB_SHA GITHUB_RUN_ID RUNNER_OS
  RUNNER_TEMP RUNNER_TOOL_CACHE GITLAB_CI CI_JOB_ID CI_COMMIT_SHA CI_API_V4_URL CI_PROJECT_DIR CI_REGISTRY CIRCLECI
  TRAVIS BUILDKITE DRONE TEAMCITY_VERSION
  KUBERNETES_PORT KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_PORT_443_TCP POD_NAME POD_NAMESPACE POD_IP
  API_SERVICE_HOST API_SERVICE_PORT API_PORT_80_TCP API_PORT_80_TCP_PORT WORKER_SERVICE_HOST WORKER_SERVICE_PORT
  POSTGRES_PORT POSTGRES_SERVICE_HOST POSTGRES_SERVICE_PORT TEMPORAL_SERVICE_HOST TEMPORAL_SERVICE_PORT REDIS_PORT
  AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GOOGLE_APPLICATION_CREDENTIALS
  GCP_PROJECT AZURE_CLIENT_ID DYNO PORT HOST WEB_CONCURRENCY HEROKU_APP_NAME FLY_APP_NAME RAILWAY_ENVIRONMENT VERCEL
  DOCKER_HOST DOCKER_BUILDKIT COMPOSE_PROJECT_NAME PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGSSLMODE PGDATA
  POSTGRES_DB POSTGRES_USER POSTGRES_PWD POSTGRES_SEEDS POSTGRES_HOST DB_URL DB_HOST DB_PORT DB_USER DB_PASSWORD REDIS_URL
  SMTP_HOST SMTP_PORT SMTP_USER SMTP_PASSWORD MAIL_HOST MAIL_PORT APP_HOST APP_PORT APP_URL APP_ENV APP_KEY API_KEY API_URL
  API_TOKEN WEB_PORT METRICS_PORT SERVER_PORT STRIPE_API_KEY STRIPE_API_VERSION STRIPE_PUBLISHABLE_KEY STRIPE_DEVICE_NAME
  TEMPORAL_API_KEY TEMPORAL_TLS TEMPORAL_TLS_CERT TEMPORAL_TLS_KEY TEMPORAL_CLI_ADDRESS TEMPORAL_HOST TEMPORAL_TASK_QUEUE
  OTEL_EXPORTER_OTLP_ENDPOINT OTEL_SERVICE_NAME OTEL_LOG_LEVEL RUST_LOG RUST_BACKTRACE LOGGING LOG_FORMAT LOG_FILE
  JAVA_HOME GOPATH GOROOT PYTHONPATH VIRTUAL_ENV CARGO_HOME HOMEBREW_PREFIX TERM_PROGRAM TERM_PROGRAM_VERSION
  VSCODE_IPC_HOOK_CLI VSCODE_GIT_IPC_HANDLE GIT_ASKPASS GIT_EDITOR
`
  .trim()
  .split(/\s+/);
