/** The embedded stack: its servers, and the order in which they start and stop. */
import type { Server } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newApiKey } from '../db/access/api-keys.js';
import { describeStanding } from '../db/upgrade/release.js';
import type { Settings } from '../domain/settings.js';
import { firstSku, loadDemoData } from './demo-data.js';
import { type DevJson, devJsonText } from './home/dev-json.js';
import { type Home, openHome } from './home/home.js';
import { rotateLogs } from './home/log-files.js';
import { StateFile } from './home/state-file.js';
import { type DatabaseUrls, prepareDatabase } from './postgres/prepare.js';
import { embeddedPostgres } from './postgres/server.js';
import { endLeftovers, serversText } from './processes/leftovers.js';
import { choosePorts, type Ports, releasePorts } from './processes/ports.js';
import { apiServer, ownAddress, sandboxServer, workerServer } from './processes/programs.js';
import { serverEnvironment } from './processes/server-environment.js';
import { connectWebhook, stripeFaceSettings } from './processes/stripe-face.js';
import { type ServerPlan, Supervised } from './processes/supervise.js';
import { StartError } from './start-error.js';
import { findTemporal } from './temporal/binary.js';
import { embeddedTemporal } from './temporal/server.js';
import { setUpTemporal } from './temporal/setup.js';
import { hiddenUiAddress, openUiProxy } from './temporal/ui.js';
import { greeting } from './terminal/greeting.js';
import type { Progress } from './terminal/terminal.js';

/** How long each kind of server may take to stop. Postgres gets the rest of `whole`. */
const stopWithinMs = { whole: 9300, api: 2500, workers: 3500, sandbox: 400, temporal: 1200 } as const;

interface Servers {
  postgres: Supervised | null;
  temporal: Supervised | null;
  sandbox: Supervised | null;
  api: Supervised | null;
  workers: Supervised[];
}

export class Stack {
  private readonly servers: Servers = { postgres: null, temporal: null, sandbox: null, api: null, workers: [] };
  private readonly stopping = new AbortController();
  private home: Home | null = null;
  private devJson: StateFile | null = null;
  private serversFile: StateFile | null = null;
  private temporalCliPath: string | null = null;
  private uiDoor: Server | null = null;
  private ports: Ports | null = null;
  /** Once all servers are ready: the content of dev.json without the pids. */
  private addresses: Omit<DevJson, 'pids'> | null = null;
  /** The concurrent starts. When one fails, stopping waits for the others too. */
  private startsSettled: Promise<unknown> = Promise.resolve();
  private stopped: Promise<void> | null = null;

  constructor(
    private readonly env: NodeJS.ProcessEnv,
    private readonly settings: Settings,
    private readonly progress: Progress,
  ) {}

  private readonly say = (line: string) => this.progress.line(line);

  /** Resolves when everything serves. Throws StartError if it cannot; `stop` then leaves nothing running. */
  async start(homePath: string): Promise<void> {
    const { settings } = this;
    this.progress.mark(`starting on ${homePath}`);
    const home = openHome(homePath);
    this.home = home;
    this.devJson = new StateFile(home.devJson, () => devJsonText(this.description()), this.say);
    this.devJson.remove();
    this.serversFile = new StateFile(home.servers, () => serversText(this.runningPids()), this.say);
    rotateLogs(join(home.path, 'logs'));
    await this.progress.step('the servers of an earlier start to end', endLeftovers(home.servers), null);
    const ports = await choosePorts(home.ports, settings.apiPortFixed ? { api: settings.apiPort } : {});
    this.ports = ports;
    this.checkStopping();

    const apiKey = home.secret('api-key', () => newApiKey('dev').key);
    const sandboxUrl = `http://127.0.0.1:${ports.sandboxHttp}`;
    const common = {
      home: home.path,
      sandboxUrl,
      smtpUrl: `smtp://127.0.0.1:${ports.sandboxSmtp}`,
      apiPort: ports.api,
    };
    const sandboxPlan = sandboxServer(home, this.env, ports.sandboxHttp, ports.sandboxSmtp);
    const database = this.startDatabase(home, ports, apiKey);
    const temporal = this.startTemporal(home, ports);
    const sandbox = this.begin(sandboxPlan, (server) => {
      this.servers.sandbox = server;
    });
    this.startsSettled = Promise.allSettled([database, temporal, sandbox]);
    const [{ databaseUrl, runningUrl }, temporalAddress] = await Promise.all([database, temporal, sandbox]);
    const { temporalNamespace } = settings;
    const stripeFace = stripeFaceSettings(this.env, home, sandboxUrl);
    const env = serverEnvironment(
      { ...this.env, ...stripeFace },
      {
        ...common,
        databaseUrl: runningUrl,
        temporalAddress,
        temporalNamespace,
      },
    );
    await this.startPrograms(home, env, ports);

    const apiUrl = `http://${ownAddress(settings.apiHost)}:${ports.api}`;
    await connectWebhook(stripeFace, sandboxUrl, apiUrl);
    await this.progress.step('demo shop', loadDemoData({ apiUrl, apiKey }, home.demoMarker));
    this.checkStopping();
    this.progress.end();
    this.addresses = {
      apiUrl,
      apiKey,
      consoleUrl: null,
      temporalAddress,
      temporalNamespace,
      temporalUiUrl: settings.temporalAddress === null ? `http://127.0.0.1:${ports.temporalUi}` : null,
      temporalCliPath: this.temporalCliPath,
      databaseUrl,
      sandboxUrl,
    };
    this.devJson.update();
    this.say(greeting(this.description(), home.path, firstSku, process.uptime()));
  }

  /** Stops everything in order, within 10 s. Further calls wait for the same stop. */
  stop(): Promise<void> {
    this.stopped ??= this.stopOnce();
    return this.stopped;
  }

  private async stopOnce(): Promise<void> {
    const from = Date.now();
    this.stopping.abort();
    this.progress.end();
    const { api, workers, sandbox, temporal, postgres } = this.servers;
    await api?.stop(stopWithinMs.api);
    await Promise.all(workers.map((worker) => worker.stop(stopWithinMs.workers)));
    await sandbox?.stop(stopWithinMs.sandbox);
    this.uiDoor?.close();
    this.uiDoor?.closeAllConnections();
    await temporal?.stop(stopWithinMs.temporal);
    await postgres?.stop(stopWithinMs.whole - (Date.now() - from));
    await Promise.race([this.startsSettled, sleep(500)]);
    if (this.ports) releasePorts(Object.values(this.ports));
    this.devJson?.remove();
    this.serversFile?.stopRetrying();
    this.home?.release();
  }

  private async startDatabase(home: Home, ports: Ports, apiKey: string): Promise<DatabaseUrls> {
    let runningUrl = this.settings.databaseUrl;
    let databaseUrl = this.settings.migrateDatabaseUrl ?? runningUrl;
    if (runningUrl === null || databaseUrl === null) {
      const embedded = embeddedPostgres(home, ports.postgres);
      await this.progress.step('Postgres data folder', embedded.prepare(this.stopping.signal));
      await this.begin(embedded.plan, (server) => {
        this.servers.postgres = server;
      });
      await embedded.createDatabase();
      ({ databaseUrl, runningUrl } = embedded);
    }
    const urls = { databaseUrl, runningUrl };
    await this.progress.step('database', prepareDatabase(urls, apiKey, 'embedded stack'), describeStanding);
    return urls;
  }

  private async startTemporal(home: Home, ports: Ports): Promise<string> {
    const { temporalAddress, temporalNamespace: namespace } = this.settings;
    if (temporalAddress !== null) {
      await this.progress.step(`Temporal at ${temporalAddress}`, setUpTemporal(temporalAddress, namespace));
      return temporalAddress;
    }
    const search = { env: this.env, say: this.say, signal: this.stopping.signal };
    const binary = await this.progress.step('the Temporal CLI', findTemporal(search), null);
    this.temporalCliPath = resolve(binary);
    const ui = await hiddenUiAddress(ports.temporalUi);
    this.uiDoor = await openUiProxy(ports.temporalUi, ui);
    await this.begin(embeddedTemporal(home, { binary, port: ports.temporal, ui, namespace }), (server) => {
      this.servers.temporal = server;
    });
    return `127.0.0.1:${ports.temporal}`;
  }

  private async startPrograms(home: Home, env: NodeJS.ProcessEnv, ports: Ports): Promise<void> {
    const starts = [
      this.begin(apiServer(home, env, ports.api), (server) => {
        this.servers.api = server;
      }),
    ];
    for (let number = 1; number <= this.settings.workers; number++)
      starts.push(this.begin(workerServer(number, home, env), (server) => this.servers.workers.push(server)));
    await Promise.all(starts);
  }

  private async begin(plan: ServerPlan, keep: (server: Supervised) => void): Promise<void> {
    this.checkStopping();
    const server = new Supervised(plan, {
      longestWaitMs: this.settings.restartMaxWaitSeconds * 1000,
      say: this.say,
      launched: () => this.serversFile?.update(),
      ready: () => this.addresses && !this.stopping.signal.aborted && this.devJson?.update(),
    });
    keep(server);
    await this.progress.step(plan.name, server.start());
  }

  private checkStopping(): void {
    if (this.stopping.signal.aborted) throw new StartError('stopped while starting');
  }

  /** The content of dev.json. */
  private description(): DevJson {
    if (!this.addresses) throw new Error('the stack is not ready');
    const { postgres, temporal, sandbox, api, workers } = this.servers;
    const pids = {
      stack: process.pid,
      api: api?.pid ?? 0,
      workers: workers.map((worker) => worker.pid),
      temporal: temporal?.pid ?? null,
      postgres: postgres?.pid ?? null,
      sandbox: sandbox?.pid ?? 0,
    };
    return { ...this.addresses, pids };
  }

  private runningPids(): number[] {
    const { postgres, temporal, sandbox, api, workers } = this.servers;
    return [postgres, temporal, sandbox, api, ...workers].flatMap((server) => server?.runningPid ?? []);
  }
}
