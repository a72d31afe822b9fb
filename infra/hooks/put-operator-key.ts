import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RestError } from '@azure/core-rest-pipeline';
import { SecretClient } from '@azure/keyvault-secrets';
import { AzureRefusal, type CallAzure, callAzure, deployer, refreshReferences, requireValue } from './azure.ts';
import { isForbidden, networkRefusal } from './vault-refusal.ts';

/** The name that infra/app/api.bicep uses in the app's setting OPERATOR_KEY. */
export const OPERATOR_KEY_NAME = 'operator-key';

interface Deps {
  vault: Pick<SecretClient, 'getSecret' | 'setSecret'>;
  callAzure: CallAzure;
  wait: (ms: number) => Promise<unknown>;
  say: (line: string) => void;
}

interface Target {
  functionAppId: string;
  vaultId: string;
  /** The address that the vault's firewall admits. Empty: none. */
  allowedIp: string;
}

const PAUSE_MS = 15_000;
/** A new role acts after some minutes, sometimes after ten. So does a new rule of the firewall. */
const TRIES = 60;

/**
 * Creates an operator key in the vault unless there is one, and makes the app read it.
 *
 * The key is created here and written to the vault only. It does not appear on the screen, nor in the deployment, whose
 * parameters are stored and readable. An existing key is never replaced.
 */
export async function putOperatorKey(deps: Deps, target: Target): Promise<'created' | 'kept'> {
  const outcome = await createIfMissing(deps, target);
  deps.say(
    outcome === 'created' ? 'Created a new operator key in the vault.' : 'The vault already has an operator key.',
  );
  // The platform tried to resolve the reference before the key existed.
  if (outcome === 'created') await refreshReferences(deps.callAzure, target.functionAppId);
  return outcome;
}

async function createIfMissing(deps: Deps, { vaultId, allowedIp }: Target): Promise<'created' | 'kept'> {
  for (let tries = 1; ; tries++) {
    try {
      if (await hasKey(deps)) return 'kept';
      await deps.vault.setSecret(OPERATOR_KEY_NAME, randomBytes(32).toString('base64url'), {
        contentType: 'Operator key of Muster',
      });
      return 'created';
    } catch (error) {
      if (!isForbidden(error) || tries === TRIES) throw error;
      const refusal = networkRefusal(error, allowedIp);
      if (refusal) {
        // Resource Manager is not behind the vault's firewall. It tells whether a secret exists, but not its value.
        if (await isListed(deps, vaultId)) return 'kept';
        throw new Error(`${refusal} See docs/deploy.md.`, { cause: error });
      }
      deps.say(
        `The vault refuses access. A new role or network rule takes some minutes to act. Trying again (${tries} of ${TRIES}).`,
      );
      await deps.wait(PAUSE_MS);
    }
  }
}

async function hasKey({ vault }: Deps): Promise<boolean> {
  try {
    await vault.getSecret(OPERATOR_KEY_NAME);
    return true;
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return false;
    throw error;
  }
}

async function isListed(deps: Deps, vaultId: string): Promise<boolean> {
  try {
    await deps.callAzure('GET', `${vaultId}/secrets/${OPERATOR_KEY_NAME}?api-version=2023-07-01`);
    return true;
  } catch (error) {
    if (error instanceof AzureRefusal && [403, 404].includes(error.status)) return false;
    throw error;
  }
}

if (import.meta.main) {
  const vaultUrl = requireValue('OPERATOR_VAULT_URL');
  if (process.env.MUSTER_GRANT_DEPLOYER === 'false') {
    console.log('MUSTER_GRANT_DEPLOYER is false, so the operator key is not set.');
  } else {
    const deps = { vault: new SecretClient(vaultUrl, deployer), callAzure, wait: sleep, say: console.log };
    await putOperatorKey(deps, {
      functionAppId: requireValue('FUNCTION_APP_ID'),
      vaultId: requireValue('OPERATOR_VAULT_ID'),
      allowedIp: process.env.MUSTER_VAULT_ALLOWED_IP ?? '',
    });
    console.log(
      `Read it with: az keyvault secret show --id ${vaultUrl}secrets/${OPERATOR_KEY_NAME} --query value -o tsv`,
    );
  }
}
