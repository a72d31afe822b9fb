import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RestError } from '@azure/core-rest-pipeline';
import { SecretClient } from '@azure/keyvault-secrets';
import { type CallAzure, callAzure, deployer, requireValue } from './azure.ts';

/** The name that infra/app/api.bicep uses in the app's setting OPERATOR_KEY. */
export const OPERATOR_KEY_NAME = 'operator-key';

interface Deps {
  vault: Pick<SecretClient, 'getSecret' | 'setSecret'>;
  callAzure: CallAzure;
  wait: (ms: number) => Promise<unknown>;
  say: (line: string) => void;
}

const PAUSE_MS = 15_000;
/** A new role acts after some minutes, sometimes after ten. */
const TRIES = 60;

/**
 * Creates an operator key in the vault unless there is one, and makes the app read it.
 *
 * The key is created here and written to the vault only. It does not appear on the screen, nor in the deployment, whose
 * parameters are stored and readable. An existing key is never replaced.
 */
export async function putOperatorKey(deps: Deps, functionAppId: string): Promise<'created' | 'kept'> {
  const outcome = await createIfMissing(deps);
  deps.say(
    outcome === 'created' ? 'Created a new operator key in the vault.' : 'The vault already has an operator key.',
  );
  // The platform resolves references when the app starts and then once a day. It tried this one before the key existed.
  if (outcome === 'created') {
    await deps.callAzure('POST', `${functionAppId}/config/configreferences/appsettings/refresh?api-version=2022-03-01`);
  }
  return outcome;
}

async function createIfMissing(deps: Deps): Promise<'created' | 'kept'> {
  for (let tries = 1; ; tries++) {
    try {
      if (await hasKey(deps)) return 'kept';
      await deps.vault.setSecret(OPERATOR_KEY_NAME, randomBytes(32).toString('base64url'), {
        contentType: 'Operator key of Muster',
      });
      return 'created';
    } catch (error) {
      if (!isRefusal(error) || tries === TRIES) throw error;
      if (isClosedNetwork(error)) {
        throw new Error(
          'The vault refuses calls from this network. Allow this address with MUSTER_VAULT_ALLOWED_IP, or set the key from inside the virtual network. See docs/deploy.md.',
          { cause: error },
        );
      }
      deps.say(`The vault refuses access. A new role takes some minutes to act. Trying again (${tries} of ${TRIES}).`);
      await deps.wait(PAUSE_MS);
    }
  }
}

function isRefusal(error: unknown): error is RestError {
  return error instanceof RestError && error.statusCode === 403;
}

function isClosedNetwork(error: RestError): boolean {
  return (error.response?.bodyAsText ?? '').includes('ForbiddenByConnection');
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

if (import.meta.main) {
  const vaultUrl = requireValue('AZURE_KEY_VAULT_ENDPOINT');
  if (process.env.MUSTER_GRANT_DEPLOYER === 'false') {
    console.log('MUSTER_GRANT_DEPLOYER is false, so the operator key is not set.');
  } else {
    const deps = { vault: new SecretClient(vaultUrl, deployer), callAzure, wait: sleep, say: console.log };
    await putOperatorKey(deps, requireValue('FUNCTION_APP_ID'));
    console.log(
      `Read it with: az keyvault secret show --id ${vaultUrl}secrets/${OPERATOR_KEY_NAME} --query value -o tsv`,
    );
  }
}
