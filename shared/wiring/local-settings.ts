import type { Secret } from '../kernel/secret.ts';

/** In `local.settings.example.json`. A test compares the two. */
export const SAMPLE_OPERATOR_KEY = 'replace-with-thirty-two-characters-or-more';

/** Of the storage emulator. Its key is public. */
const EMULATOR_ACCOUNT = 'devstoreaccount1';
const EMULATOR_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

const urlSettings = [
  'PUBLIC_URL',
  'KEY_VAULT_URL',
  'AZURE_AUTHORITY_HOST',
  'DataStorage__blobServiceUri',
  'DataStorage__queueServiceUri',
  'DataStorage__tableServiceUri',
] as const;

/** The settings that can be made for a developer's machine. */
type Checked = Partial<Record<'OPERATOR_KEY' | 'OPERATOR_KEY_PREVIOUS' | 'DataStorage', Secret | undefined>> &
  Partial<Record<(typeof urlSettings)[number], string | undefined>> & {
    KEY_VAULT_VERIFY_RESOURCE: boolean;
    WEBHOOKS_TO_LOCAL: boolean;
  };

/** Finds settings that are made for a developer's machine. In Azure they would open the app to anyone. */
export function findLocalSettings(read: Checked): string[] {
  const faults: string[] = [];
  for (const name of ['OPERATOR_KEY', 'OPERATOR_KEY_PREVIOUS'] as const) {
    if (read[name]?.reveal() === SAMPLE_OPERATOR_KEY) {
      faults.push(`${name}: replace the sample key; anyone can read it in local.settings.example.json`);
    }
  }
  for (const name of urlSettings) {
    const url = read[name];
    if (url === undefined) continue;
    if (new URL(url).protocol !== 'https:') faults.push(`${name}: must begin with https: in Azure`);
    if (url.includes(EMULATOR_ACCOUNT)) faults.push(`${name}: development storage must not be used in Azure`);
  }
  if (!read.KEY_VAULT_VERIFY_RESOURCE) {
    faults.push('KEY_VAULT_VERIFY_RESOURCE: remove it; in Azure every vault names its own domain');
  }
  if (read.WEBHOOKS_TO_LOCAL) {
    faults.push('WEBHOOKS_TO_LOCAL: remove it; in Azure, deliveries must not reach the addresses of our own network');
  }
  if (read.DataStorage && isDevelopmentStorage(read.DataStorage.reveal())) {
    faults.push('DataStorage: development storage must not be used in Azure');
  } else if (read.DataStorage && isUnencrypted(read.DataStorage.reveal())) {
    faults.push('DataStorage: must use https in Azure');
  }
  return faults;
}

/** Development storage: `UseDevelopmentStorage=true`, or the account or the key of the emulator. */
function isDevelopmentStorage(connectionString: string): boolean {
  return (
    /UseDevelopmentStorage\s*=\s*true/i.test(connectionString) ||
    connectionString.includes(EMULATOR_ACCOUNT) ||
    connectionString.includes(EMULATOR_KEY)
  );
}

function isUnencrypted(connectionString: string): boolean {
  return /(?:^|;)\s*(?:DefaultEndpointsProtocol\s*=\s*http\s*(?:;|$)|\w+Endpoint\s*=\s*http:)/i.test(connectionString);
}
