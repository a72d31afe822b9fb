import { createPrivateKey, X509Certificate } from 'node:crypto';
import { parse, toSeconds } from 'iso8601-duration';
import { z } from 'zod';
import { type Cloud, clouds } from '../connections/connection.ts';
import { faultMessage } from '../kernel/fault-messages.ts';
import { Secret } from '../kernel/secret.ts';
import { findEmailFaults, mailServerSetting, senderSetting } from './email-settings.ts';
import { findLocalSettings } from './local-settings.ts';

const secret = z.string().transform((value) => new Secret(value));
const whole = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

/** An ISO 8601 duration such as `PT90S`, read as milliseconds. */
const duration = z.iso.duration().transform((text) => Math.round(toSeconds(parse(text)) * 1000));
const durationMs = (fallback: string) => duration.prefault(fallback);

/** Several durations, separated by commas, each longer than the one before. */
const durationsMs = (fallback: string) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(
      z
        .array(duration)
        .refine((steps) => steps.every((ms, i) => i === 0 || ms > (steps[i - 1] ?? 0)), 'must be in ascending order'),
    )
    .prefault(fallback);

/** At least 32 characters, because everyone who has this key is an operator. */
const operatorKey = z
  .string()
  .min(32)
  // An unresolved reference arrives as its own text. It is long enough to pass, and anyone could guess it.
  .refine((value) => !value.startsWith('@Microsoft.KeyVault('), 'the Key Vault reference is not resolved')
  .transform((value) => new Secret(value));

/** A secret that a Key Vault reference brings. An unresolved one arrives as its own text. */
const reference = z
  .string()
  .refine((value) => !value.startsWith('@Microsoft.KeyVault('), 'the Key Vault reference is not resolved')
  .transform((value) => new Secret(value));

const hostAndPort = z
  .string()
  .regex(/^[^:\s]+:\d+$/, 'must be host:port')
  .transform((text) => {
    const [host = '', port = ''] = text.split(':');
    return { host, port: Number(port) };
  });

/**
 * Every setting of the app. The Functions host also reads the settings named `DataStorage…`, so their names are the
 * host's. `docs/settings.md` explains each setting; a test keeps the two in step.
 */
const settings = z.object({
  /**
   * If set, the storage account is reached by this connection string. If not, by the app's identity through the three
   * URIs.
   */
  DataStorage: secret.optional(),
  DataStorage__blobServiceUri: z.url().optional(),
  DataStorage__queueServiceUri: z.url().optional(),
  DataStorage__tableServiceUri: z.url().optional(),

  KEY_VAULT_URL: z.url({ protocol: /^https$/ }),
  /** Whether the vault's challenge must name a resource in the vault's own domain. It does in every Azure cloud. */
  KEY_VAULT_VERIFY_RESOURCE: z.stringbool().default(true),

  AZURE_CLIENT_ID: z.guid(),
  AZURE_TENANT_ID: z.string().optional(),
  AZURE_CLIENT_SECRET: secret.optional(),
  AZURE_AUTHORITY_HOST: z.url({ protocol: /^https$/ }).optional(),

  /** The multi-tenant app of the deployment. Without it, every customer registers an app of its own. */
  VENDOR_APP_CLIENT_ID: z.guid().toLowerCase().optional(),
  VENDOR_APP_CLOUD: z.enum(clouds).default('global'),
  /** What the app proves itself with. Without either, it trusts the identity of the deployment. */
  VENDOR_APP_CLIENT_SECRET: reference.optional(),
  VENDOR_APP_CERTIFICATE: reference.optional(),
  /** The Value itself does not say when it expires. */
  VENDOR_APP_CLIENT_SECRET_EXPIRES_AT: z
    .union([z.iso.date(), z.iso.datetime({ offset: true })])
    .transform((text) => new Date(text))
    .optional(),

  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Set by the platform: the app's own name. */
  WEBSITE_HOSTNAME: z.string().optional(),
  /** Set by the platform in every plan except Flex Consumption, where only `WEBSITE_SKU` shows that this is Azure. */
  WEBSITE_INSTANCE_ID: z.string().optional(),
  WEBSITE_SKU: z.string().optional(),
  OPERATOR_KEY: operatorKey,
  /** Also valid, so that a rotation needs no gap. */
  OPERATOR_KEY_PREVIOUS: operatorKey.optional(),

  SIMULATOR_LOGIN_URL: z.url({ protocol: /^https$/ }).optional(),
  SIMULATOR_GRAPH_URL: z.url({ protocol: /^https$/ }).optional(),
  SIMULATOR_IMAP: hostAndPort.optional(),
  SIMULATOR_SMTP: hostAndPort.optional(),

  JSON_BODY_MAX_BYTES: whole(1_048_576),
  CSV_MAX_BYTES: whole(100_000_000),
  CSV_MAX_ROWS: whole(1_000_000),
  CSV_RECORD_MAX_BYTES: whole(65_536),
  WORKBOOK_MAX_BYTES: whole(50_000_000),
  WORKBOOK_UNPACKED_MAX_BYTES: whole(400_000_000),
  NAME_MAX_LENGTH: whole(200),
  IDEMPOTENCY_REMEMBERED: durationMs('PT24H'),
  API_KEY_CACHED: durationMs('PT15S'),
  API_KEY_UNKNOWN_CACHED: durationMs('PT10S'),
  AUDIT_KEPT: durationMs('P400D'),

  REQUESTS_PER_KEY: whole(600),
  REQUESTS_PER_CUSTOMER: whole(1000),
  REQUESTS_WINDOW: durationMs('PT20S'),
  REQUESTS_AT_ONCE: whole(4),
  REQUESTS_WAITING: whole(100),
  DOWNLOADS_AT_ONCE: whole(2),
  EVENT_STREAMS_AT_ONCE: whole(16),
  FAILED_KEYS_PER_MINUTE: whole(60),
  PUBLIC_REQUESTS_PER_MINUTE: whole(600),
  CONNECTION_TESTS_PER_MINUTE: whole(120),
  CERTIFICATES_PER_MINUTE: whole(10),
  CONNECTIONS_MAX: whole(500),
  KEYS_MAX: whole(100),
  WEBHOOKS_MAX: whole(20),
  RUNNING_IMPORTS_MAX: whole(100),
  REJECTED_ROWS_MAX: whole(10_000_000),
  PREVIEWS_MAX: whole(20),
  UPLOAD_LEASE: durationMs('PT15S'),
  DELETION_GRACE: durationMs('P7D'),

  CHECKS_AT_ONCE: whole(24),
  CHECK_TIMEOUT: durationMs('PT30S'),
  /** ISO 8601 durations since the grants changed, ascending. A single `PT0S` turns waiting off. */
  PROPAGATION_STEPS: durationsMs('PT35M,PT70M,PT125M'),
  REPEATED_REFUSALS_MAX: whole(20),
  CHECK_GIVE_UP_AFTER: durationMs('PT24H'),
  CHECK_RETRY_BASE: durationMs('PT1S'),
  SETTLE_TOGETHER: whole(8),
  SETTLE_WITHIN: durationMs('PT0.25S'),
  WINDOW_TOTAL: whole(4096),
  DISPATCH_SHIFT: durationMs('PT5M'),
  DISPATCH_LEASE: durationMs('PT10S'),
  PLAN_OVERDUE_AFTER: durationMs('PT90S'),
  PAUSED_MAX: durationMs('P30D'),
  PREVIEW_KEPT: durationMs('PT1H'),
  UPLOADS_KEPT: durationMs('P30D'),
  ROWS_KEPT: durationMs('P90D'),
  DIRECTORY_KEPT: durationMs('P30D'),
  SELECTION_MAX: whole(1000),
  REVERIFY_AFTER: durationMs('P7D'),
  REVERIFY_FAILED_AFTER: durationMs('P1D'),
  STORAGE_RETRY_AFTER: durationMs('PT5S'),

  WEBHOOK_TIMEOUT: durationMs('PT10S'),
  /** When a failed delivery is tried again: ISO 8601 durations since the first attempt, ascending. */
  WEBHOOK_RETRIES: durationsMs('PT5S,PT1M,PT5M,PT30M,PT2H,PT5H,PT10H,PT24H'),
  WEBHOOK_ATTEMPTS_AT_ONCE: whole(4),
  WEBHOOK_DISABLED_AFTER: durationMs('P5D'),
  DELIVERIES_KEPT: durationMs('P30D'),
  DELIVERIES_MAX: whole(10_000),
  /** For one machine only: deliveries may go to local addresses, and without TLS. */
  WEBHOOKS_TO_LOCAL: z.stringbool().default(false),

  /** The mail server of the deployment, as nodemailer reads it. Without it, only customers' own mailboxes send. */
  SMTP_URL: mailServerSetting.optional(),
  EMAIL_FROM: senderSetting.optional(),
  EMAIL_TIMEOUT: durationMs('PT15S'),

  EXPIRING_WITHIN_DAYS: whole(30),
  CONNECTION_TEST_STEP: durationMs('PT10S'),
  VAULT_TIMEOUT: durationMs('PT4S'),
  ORPHANED_SECRET_AFTER: durationMs('PT1H'),
  REPLACED_SECRET_KEPT: durationMs('P3D'),
  CONSENT_LINK_VALID: durationMs('PT1H'),

  /** Where telemetry goes. The Functions host reads the same settings. Without any of them there is none. */
  APPLICATIONINSIGHTS_CONNECTION_STRING: secret.optional(),
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),

  IMPORT_STALLED_AFTER: durationMs('PT15M'),
  SCHEDULER_SILENT_AFTER: durationMs('PT15M'),

  /** NCRONTAB with six fields. The host reads them as `%SWEEP_SCHEDULE%` and so on. */
  SWEEP_SCHEDULE: z.string().default('0 * * * * *'),
  EXPIRY_SCHEDULE: z.string().default('0 0 6 * * *'),
  RETENTION_SCHEDULE: z.string().default('0 */5 * * * *'),
});

export const settingNames = Object.keys(settings.shape) as (keyof typeof settings.shape)[];

type Settings = z.infer<typeof settings>;

interface SimulatedCloud {
  loginUrl: string;
  graphUrl: string;
  imap: { host: string; port: number } | undefined;
  smtp: { host: string; port: number } | undefined;
}

export type DataStorage =
  | { kind: 'connectionString'; connectionString: Secret }
  | { kind: 'identity'; blobUrl: string; queueUrl: string; tableUrl: string };

export type AppIdentity =
  | { kind: 'managed'; clientId: string }
  | {
      kind: 'clientSecret';
      tenantId: string;
      clientId: string;
      clientSecret: Secret;
      authorityHost: string | undefined;
    };

export interface VendorAppConfig {
  clientId: string;
  cloud: Cloud;
  credential:
    | { kind: 'clientSecret'; clientSecret: Secret; expiresAt?: Date }
    | { kind: 'certificate'; pem: Secret; expiresAt: Date }
    /** The app trusts the identity of the deployment. */
    | { kind: 'federated' };
}

export interface Config {
  storage: DataStorage;
  identity: AppIdentity;
  publicUrl: string;
  vendorApp: VendorAppConfig | undefined;
  /** Present only if the configuration names a simulator. Refused in Azure. */
  simulator: SimulatedCloud | undefined;
  settings: Settings;
}

/** Names every missing or malformed setting, one a line. Never contains the value of a setting, so everyone may read it. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(faults: readonly string[]) {
    super(`Muster cannot start. Fix these settings:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

/**
 * Reads every setting once and returns typed values.
 *
 * @throws SettingsError. The app must then take no message, because it is only half configured. `functions/index.ts`
 * registers functions that say what is wrong.
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = settings.safeParse(present, { error: faultMessage });
  const faults = findEmailFaults((name) => present[name] !== undefined);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new SettingsError([...wrong, ...faults]);
  }
  const read = parsed.data;
  const storage = dataStorage(read, faults);
  const identity = appIdentity(read, faults);
  const simulator = simulatedCloud(read, faults);
  const vendorApp = vendorAppOf(read, simulator, faults);
  if (isInAzure(read)) faults.push(...findLocalSettings(read));
  const publicUrl = read.PUBLIC_URL ?? (read.WEBSITE_HOSTNAME && `https://${read.WEBSITE_HOSTNAME}`);
  if (!publicUrl) faults.push('PUBLIC_URL: required, because the platform does not set WEBSITE_HOSTNAME');
  if (faults.length > 0 || !storage || !identity || !publicUrl) throw new SettingsError(faults);
  return { storage, identity, simulator, vendorApp, publicUrl: publicUrl.replace(/\/$/, ''), settings: read };
}

function isInAzure(read: Settings): boolean {
  return Boolean(read.WEBSITE_INSTANCE_ID || read.WEBSITE_SKU);
}

function dataStorage(read: Settings, faults: string[]): DataStorage | undefined {
  if (read.DataStorage) return { kind: 'connectionString', connectionString: read.DataStorage };
  const {
    DataStorage__blobServiceUri: blobUrl,
    DataStorage__queueServiceUri: queueUrl,
    DataStorage__tableServiceUri: tableUrl,
  } = read;
  if (blobUrl && queueUrl && tableUrl) return { kind: 'identity', blobUrl, queueUrl, tableUrl };
  faults.push(
    'DataStorage: set a connection string, or set DataStorage__blobServiceUri, DataStorage__queueServiceUri and DataStorage__tableServiceUri',
  );
  return undefined;
}

function appIdentity(read: Settings, faults: string[]): AppIdentity | undefined {
  const { AZURE_CLIENT_ID: clientId, AZURE_TENANT_ID: tenantId, AZURE_CLIENT_SECRET: clientSecret } = read;
  if (!clientSecret) return { kind: 'managed', clientId };
  if (tenantId)
    return { kind: 'clientSecret', tenantId, clientId, clientSecret, authorityHost: read.AZURE_AUTHORITY_HOST };
  faults.push('AZURE_TENANT_ID: required together with AZURE_CLIENT_SECRET');
  return undefined;
}

function vendorAppOf(
  read: Settings,
  simulator: SimulatedCloud | undefined,
  faults: string[],
): VendorAppConfig | undefined {
  const { VENDOR_APP_CLIENT_ID: clientId, VENDOR_APP_CLOUD: cloud } = read;
  const { VENDOR_APP_CLIENT_SECRET: clientSecret, VENDOR_APP_CERTIFICATE: pem } = read;
  const expiresAt = read.VENDOR_APP_CLIENT_SECRET_EXPIRES_AT;
  if (!clientId) {
    if (clientSecret || pem) faults.push('VENDOR_APP_CLIENT_ID: required together with a credential of the app');
    return undefined;
  }
  if (clientSecret && pem) faults.push('VENDOR_APP_CLIENT_SECRET, VENDOR_APP_CERTIFICATE: set one of them, or neither');
  if (cloud === 'simulator' && !simulator) faults.push('VENDOR_APP_CLOUD: no simulator is configured');
  if (clientSecret) {
    return { clientId, cloud, credential: { kind: 'clientSecret', clientSecret, ...(expiresAt && { expiresAt }) } };
  }
  if (!pem) return { clientId, cloud, credential: { kind: 'federated' } };
  const certificate = readKeyPair(pem);
  if (!certificate) {
    faults.push('VENDOR_APP_CERTIFICATE: must be PEM with the certificate and its private key');
    return undefined;
  }
  return { clientId, cloud, credential: { kind: 'certificate', pem, expiresAt: certificate.validToDate } };
}

/** The certificate, if a PEM text has one with its own private key. */
function readKeyPair(pem: Secret): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem.reveal());
    return certificate.checkPrivateKey(createPrivateKey(pem.reveal())) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

function simulatedCloud(read: Settings, faults: string[]): SimulatedCloud | undefined {
  const { SIMULATOR_LOGIN_URL: loginUrl, SIMULATOR_GRAPH_URL: graphUrl } = read;
  if (!loginUrl && !graphUrl) return undefined;
  if (isInAzure(read)) {
    faults.push(
      'SIMULATOR_LOGIN_URL, SIMULATOR_GRAPH_URL: remove them; a simulated Microsoft 365 must not be used in Azure',
    );
    return undefined;
  }
  if (!loginUrl || !graphUrl) {
    faults.push('SIMULATOR_LOGIN_URL, SIMULATOR_GRAPH_URL: set both or neither');
    return undefined;
  }
  return { loginUrl, graphUrl, imap: read.SIMULATOR_IMAP, smtp: read.SIMULATOR_SMTP };
}
