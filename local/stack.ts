import { access, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Certificate, obtainCertificate } from './certificate.ts';
import { loadMemory, makeDataFolder, type StackMemory, saveMemory } from './data-folder.ts';
import { type FunctionsProcesses, startFunctionsProcesses } from './functions-processes.ts';
import { startVault, type Vault } from './key-vault/vault.ts';
import type { Scenario } from './microsoft365/scenario.ts';
import { type ExtraRoute, type Simulator, startSimulator } from './microsoft365/simulator.ts';
import { freePort, isFree } from './ports.ts';
import type { RequestCount } from './request-count.ts';
import { StartError } from './start-error.ts';
import { type Storage, startStorage } from './storage.ts';

export interface StackOptions {
  /** The port of the API. 0 picks a free one. */
  port: number;
  /** The folder for the data. Without it the data is in memory, and a temporary folder is deleted with the stack. */
  data?: string;
  scenario: Scenario;
  operatorKey?: string;
  /** App settings that differ from the local ones. */
  settings?: Record<string, string>;
  /** How many processes run each function; 1 by default. They share nothing but storage. */
  processes?: number;
  /** Gives HTTP, each queue function and each timer processes of their own, as Flex Consumption does. */
  isApart?: boolean;
  /** Makes the functions host deliver every queue message twice, or every nth. */
  deliverTwice?: boolean | number;
  /** `source` is `storage`, `functions`, or the name of one of several functions processes. */
  onLine?: (source: string, line: string) => void;
  /** Called after a process was restarted: `local()` has a new process id. */
  onChange?: () => void;
}

/** The content of `local.json`. */
export interface LocalJson {
  apiUrl: string;
  operatorKey: string;
  simulatorUrl: string;
  certificate: string;
  storage: { blob: string; queue: string; table: string; connectionString: string };
  vaultUrl: string;
  /** The app's identity in the simulated directory, for running the app in another host. */
  identity: { tenantId: string; clientId: string; clientSecret: string; authorityHost: string };
  imap: string;
  smtp: string;
  /** `functions` is a list if there are several functions processes. */
  processes: { functions: number | number[]; storage: number };
}

export interface Stack {
  /** The current state. A restarted process has a new id. */
  local(): LocalJson;
  certificate: Certificate;
  simulator: Simulator;
  functions: FunctionsProcesses;
  storage: Storage;
  vault: Vault;
  /** The last lines of all functions processes. */
  logs: string[];
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOG_LINES_MAX = 50_000;

/** Shorter than in Azure, so that nobody waits for minutes. All of these are normal app settings. */
const LOCAL_SETTINGS: Record<string, string> = {
  SWEEP_SCHEDULE: '*/10 * * * * *',
  EXPIRY_SCHEDULE: '0 0 6 * * *',
  RETENTION_SCHEDULE: '0 */5 * * * *',
  PLAN_OVERDUE_AFTER: 'PT20S',
  STORAGE_RETRY_AFTER: 'PT5S',
  PROPAGATION_STEPS: 'PT5S,PT10S,PT20S',
  // The shortest lease that storage knows. After a process has died, its timers must soon run in another one.
  AzureFunctionsJobHost__singleton__listenerLockPeriod: '00:00:15',
  AzureFunctionsJobHost__singleton__listenerLockRecoveryPollingInterval: '00:00:05',
};

/** Starts everything that Muster needs, on 127.0.0.1. If it fails, it rejects with a `StartError` and leaves nothing running. */
export async function startStack(options: StackOptions): Promise<Stack> {
  await access(join(ROOT, 'dist/index.js')).catch(() => {
    throw new StartError('The app is not built. Run "npm run build" first.');
  });
  if (options.port !== 0 && !(await isFree(options.port))) {
    throw new StartError(
      `Port ${options.port} is in use. Choose another one with --port, or use --port 0 for a free one.`,
    );
  }
  const port = options.port === 0 ? await freePort() : options.port;
  const folder = await makeDataFolder(options.data, ROOT);
  const undo: (() => Promise<unknown>)[] = [];
  if (!options.data) undo.push(() => rm(folder, { recursive: true, force: true }));
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step().catch(() => undefined);
  };
  try {
    const memory = await loadMemory(folder, options.operatorKey);
    const certificate = await obtainCertificate(folder);
    const parts: { storage?: Storage; vault?: Vault; functions?: FunctionsProcesses } = {};
    const simulator = await startSimulator({
      scenario: options.scenario,
      tls: certificate,
      port: await freePort(memory.ports.simulator),
      home: memory.home,
      extraCounts: async (): Promise<RequestCount[]> => [
        ...(parts.vault?.counts() ?? []),
        ...((await parts.storage?.counts()) ?? []),
      ],
      async resetExtraCounts() {
        parts.vault?.resetCounts();
        await parts.storage?.resetCounts();
      },
      extraRoutes: partRoutes(parts),
    });
    undo.push(() => simulator.close());
    const vault = await startVault({
      tls: certificate,
      verify: (token, audience) => simulator.verifyToken(token, audience),
      loginUrl: simulator.loginUrl,
      tenantId: memory.home.tenantId,
      clientIds: [memory.home.clientId],
      port: memory.ports.vault,
      ...(options.data && { file: join(folder, 'vault.json') }),
    });
    parts.vault = vault;
    undo.push(() => vault.stop());
    const storage = await startStorage({
      ports: memory.ports,
      ...(options.data && { folder: join(folder, 'storage') }),
      onLine: (line) => options.onLine?.('storage', line),
      onRestart: () => options.onChange?.(),
    });
    parts.storage = storage;
    undo.push(() => storage.stop());

    const logs: string[] = [];
    const apiUrl = `http://127.0.0.1:${port}`;
    const functions = await startFunctionsProcesses({
      port,
      processes: options.processes ?? 1,
      isApart: options.isApart ?? false,
      seed: memory.home.clientId,
      env: environment(options, { apiUrl, memory, certificate, simulator, vault, storage }),
      onLine(source, line) {
        logs.push(line);
        if (logs.length > LOG_LINES_MAX) logs.splice(0, LOG_LINES_MAX / 10);
        options.onLine?.(source, line);
      },
      onRestart: () => options.onChange?.(),
    });
    parts.functions = functions;
    undo.push(() => functions.close());
    await saveMemory(folder, {
      ...memory,
      ports: { ...storage.ports, vault: vault.port, simulator: portOf(simulator.url) },
    });

    const local = (): LocalJson => ({
      apiUrl,
      operatorKey: memory.operatorKey,
      simulatorUrl: simulator.url,
      certificate: resolve(certificate.path),
      storage: { ...storage.urls, connectionString: storage.connectionString },
      vaultUrl: vault.url,
      identity: { ...memory.home, authorityHost: simulator.loginUrl },
      imap: `${simulator.imap.host}:${simulator.imap.port}`,
      smtp: `${simulator.smtp.host}:${simulator.smtp.port}`,
      processes: {
        functions: functions.all.length === 1 ? functions.pid() : functions.all.map((process) => process.pid()),
        storage: storage.pid(),
      },
    });
    return { local, certificate, simulator, functions, storage, vault, logs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Parts {
  apiUrl: string;
  memory: StackMemory;
  certificate: Certificate;
  simulator: Simulator;
  vault: Vault;
  storage: Storage;
}

/** The app's settings, and the environment variables that Node and the system need. */
function environment(options: StackOptions, { apiUrl, memory, certificate, simulator, vault, storage }: Parts) {
  const { PATH, HOME, TMPDIR, LANG, TZ } = process.env;
  return {
    PATH,
    HOME,
    TMPDIR,
    LANG,
    TZ,
    NODE_EXTRA_CA_CERTS: certificate.path,
    ...(options.deliverTwice && { MUSTER_HOST_DELIVER_TWICE: String(Number(options.deliverTwice)) }),
    DataStorage: storage.connectionString,
    AzureWebJobsStorage: storage.connectionString,
    KEY_VAULT_URL: vault.url,
    KEY_VAULT_VERIFY_RESOURCE: 'false',
    AZURE_TENANT_ID: memory.home.tenantId,
    AZURE_CLIENT_ID: memory.home.clientId,
    AZURE_CLIENT_SECRET: memory.home.clientSecret,
    AZURE_AUTHORITY_HOST: simulator.loginUrl,
    SIMULATOR_LOGIN_URL: simulator.loginUrl,
    SIMULATOR_GRAPH_URL: simulator.graphUrl,
    SIMULATOR_IMAP: `${simulator.imap.host}:${simulator.imap.port}`,
    SIMULATOR_SMTP: `${simulator.smtp.host}:${simulator.smtp.port}`,
    PUBLIC_URL: apiUrl,
    OPERATOR_KEY: memory.operatorKey,
    ...LOCAL_SETTINGS,
    ...options.settings,
  };
}

/** Routes that stop and start one part, to rehearse an outage: `POST /_simulator/parts/vault/stop`. */
function partRoutes(parts: { storage?: Storage; vault?: Vault; functions?: FunctionsProcesses }): ExtraRoute[] {
  return [
    {
      method: 'POST',
      path: '/_simulator/parts/{part}/{action}',
      async handle(_request, { part = '', action = '' }) {
        const found = Object.hasOwn(parts, part) ? parts[part as keyof typeof parts] : undefined;
        if (!found || (action !== 'stop' && action !== 'start')) {
          return {
            status: 404,
            body: JSON.stringify({
              error: 'The parts are storage, vault and functions. The actions are stop and start.',
            }),
          };
        }
        await found[action]();
        return { status: 200, body: JSON.stringify({ part, action }) };
      },
    },
  ];
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
