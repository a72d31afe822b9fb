import { access, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Certificate, obtainCertificate } from './certificate.ts';
import { folderOf, type Remembered, remember, saveMemory } from './data-folder.ts';
import { type FunctionsProcess, startFunctions } from './functions-process.ts';
import { startVault, type Vault } from './key-vault/vault.ts';
import type { Scenario } from './microsoft365/scenario.ts';
import { type ExtraRoute, type Simulator, startSimulator } from './microsoft365/simulator.ts';
import { freePort, isFree } from './ports.ts';
import type { RequestCount } from './request-count.ts';
import { StartError } from './start-error.ts';
import { type Storage, startStorage } from './storage.ts';

export interface StackOptions {
  /** Of the API; 0 picks a free one. */
  port: number;
  /** Where data survives; absent: everything is in memory, and what little lies on disk goes with the stack. */
  data?: string;
  scenario: Scenario;
  operatorKey?: string;
  /** App settings that differ from the local ones. */
  settings?: Record<string, string>;
  /** Every queue message is delivered twice: a switch of the host, not of the app. */
  deliverTwice?: boolean;
  onLine?: (source: 'functions' | 'storage', line: string) => void;
  /** A process has come back with another id: `local()` tells something new. */
  onChange?: () => void;
}

/** What `local.json` holds; see docs. */
export interface LocalJson {
  apiUrl: string;
  operatorKey: string;
  simulatorUrl: string;
  certificate: string;
  storage: { blob: string; queue: string; table: string; connectionString: string };
  vaultUrl: string;
  /** The app's own identity in the simulated directory, for running the app by other means. */
  identity: { tenantId: string; clientId: string; clientSecret: string; authorityHost: string };
  imap?: string;
  smtp?: string;
  processes: { functions: number; storage: number };
}

export interface Stack {
  /** As it is now: a process that was started again has a new id. */
  local(): LocalJson;
  certificate: Certificate;
  simulator: Simulator;
  functions: FunctionsProcess;
  storage: Storage;
  vault: Vault;
  /** The last lines of the functions process. */
  logs: string[];
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOGS_MOST = 50_000;

/** Shorter than in Azure where minutes would bore whoever watches; all of them settings like any other. */
const LOCAL_SETTINGS: Record<string, string> = {
  SWEEP_SCHEDULE: '*/10 * * * * *',
  EXPIRY_SCHEDULE: '0 0 6 * * *',
  BATCH_OVERDUE_AFTER: 'PT20S',
  BATCH_OVERDUE_MAX: 'PT2M',
  PLAN_OVERDUE_AFTER: 'PT20S',
  STORAGE_RETRY_AFTER: 'PT5S',
  PROPAGATION_STEPS: 'PT5S,PT10S,PT20S',
};

/** Starts everything that Muster needs, on 127.0.0.1. Rejects with a `StartError`, nothing left running, if it cannot. */
export async function startStack(options: StackOptions): Promise<Stack> {
  await access(join(ROOT, 'dist/index.js')).catch(() => {
    throw new StartError('The app is not built: run "npm run build" first.');
  });
  if (options.port !== 0 && !(await isFree(options.port))) {
    throw new StartError(`Port ${options.port} is in use: name another with --port, or 0 for a free one.`);
  }
  const port = options.port === 0 ? await freePort() : options.port;
  const folder = await folderOf(options.data, ROOT);
  const undo: (() => Promise<unknown>)[] = [];
  if (!options.data) undo.push(() => rm(folder, { recursive: true, force: true }));
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step().catch(() => undefined);
  };
  try {
    const kept = await remember(folder, options.operatorKey);
    const certificate = await obtainCertificate(folder);
    const parts: { storage?: Storage; vault?: Vault; functions?: FunctionsProcess } = {};
    const simulator = await startSimulator({
      scenario: options.scenario,
      tls: certificate,
      port: await freePort(kept.ports.simulator),
      home: kept.home,
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
      tenantId: kept.home.tenantId,
      clientIds: [kept.home.clientId],
      port: kept.ports.vault,
      ...(options.data && { file: join(folder, 'vault.json') }),
    });
    parts.vault = vault;
    undo.push(() => vault.stop());
    const storage = await startStorage({
      ports: kept.ports,
      ...(options.data && { folder: join(folder, 'storage') }),
      onLine: (line) => options.onLine?.('storage', line),
      onRestart: () => options.onChange?.(),
    });
    parts.storage = storage;
    undo.push(() => storage.stop());

    const logs: string[] = [];
    const apiUrl = `http://127.0.0.1:${port}`;
    const functions = await startFunctions({
      port,
      env: environment(options, { apiUrl, kept, certificate, simulator, vault, storage }),
      onLine(line) {
        logs.push(line);
        if (logs.length > LOGS_MOST) logs.splice(0, LOGS_MOST / 10);
        options.onLine?.('functions', line);
      },
      onRestart: () => options.onChange?.(),
    });
    parts.functions = functions;
    undo.push(() => functions.stop());
    await saveMemory(folder, {
      ...kept,
      ports: { ...storage.ports, vault: vault.port, simulator: portOf(simulator.url) },
    });

    const local = (): LocalJson => ({
      apiUrl,
      operatorKey: kept.operatorKey,
      simulatorUrl: simulator.url,
      certificate: resolve(certificate.path),
      storage: { ...storage.urls, connectionString: storage.connectionString },
      vaultUrl: vault.url,
      identity: { ...kept.home, authorityHost: simulator.loginUrl },
      ...(simulator.imap && { imap: `${simulator.imap.host}:${simulator.imap.port}` }),
      ...(simulator.smtp && { smtp: `${simulator.smtp.host}:${simulator.smtp.port}` }),
      processes: { functions: functions.pid(), storage: storage.pid() },
    });
    return { local, certificate, simulator, functions, storage, vault, logs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Parts {
  apiUrl: string;
  kept: Remembered;
  certificate: Certificate;
  simulator: Simulator;
  vault: Vault;
  storage: Storage;
}

/** The app's settings. Of the surrounding environment only what Node and the system need comes along. */
function environment(options: StackOptions, { apiUrl, kept, certificate, simulator, vault, storage }: Parts) {
  const { PATH, HOME, TMPDIR, LANG, TZ } = process.env;
  return {
    PATH,
    HOME,
    TMPDIR,
    LANG,
    TZ,
    NODE_EXTRA_CA_CERTS: certificate.path,
    MUSTER_PARENT_PID: String(process.pid),
    ...(options.deliverTwice && { MUSTER_HOST_DELIVER_TWICE: '1' }),
    DataStorage: storage.connectionString,
    AzureWebJobsStorage: storage.connectionString,
    KEY_VAULT_URL: vault.url,
    KEY_VAULT_VERIFY_RESOURCE: 'false',
    AZURE_TENANT_ID: kept.home.tenantId,
    AZURE_CLIENT_ID: kept.home.clientId,
    AZURE_CLIENT_SECRET: kept.home.clientSecret,
    AZURE_AUTHORITY_HOST: simulator.loginUrl,
    SIMULATOR_LOGIN_URL: simulator.loginUrl,
    SIMULATOR_GRAPH_URL: simulator.graphUrl,
    ...(simulator.imap && { SIMULATOR_IMAP: `${simulator.imap.host}:${simulator.imap.port}` }),
    ...(simulator.smtp && { SIMULATOR_SMTP: `${simulator.smtp.host}:${simulator.smtp.port}` }),
    PUBLIC_URL: apiUrl,
    OPERATOR_KEY: kept.operatorKey,
    ...LOCAL_SETTINGS,
    ...options.settings,
  };
}

/** Lets whoever rehearses an outage take a part away and bring it back: `POST /_simulator/parts/vault/stop`. */
function partRoutes(parts: { storage?: Storage; vault?: Vault; functions?: FunctionsProcess }): ExtraRoute[] {
  return [
    {
      method: 'POST',
      path: '/_simulator/parts/{part}/{action}',
      async handle(_request, { part = '', action = '' }) {
        const found = Object.hasOwn(parts, part) ? parts[part as keyof typeof parts] : undefined;
        if (!found || (action !== 'stop' && action !== 'start')) {
          return { status: 404, body: JSON.stringify({ error: 'parts are storage, vault, functions; stop or start' }) };
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
