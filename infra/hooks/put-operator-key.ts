import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RestError } from '@azure/core-rest-pipeline';
import { SecretClient } from '@azure/keyvault-secrets';
import { type CallAzure, callAzure, deployer, requireValue } from './azure.ts';

/** As infra/app/api.bicep names it in the app's setting OPERATOR_KEY. */
export const OPERATOR_KEY_NAME = 'operator-key';

interface Needs {
  vault: Pick<SecretClient, 'getSecret' | 'setSecret'>;
  callAzure: CallAzure;
  wait: (ms: number) => Promise<unknown>;
  say: (line: string) => void;
}

const PAUSE_MS = 15_000;
/** A role that was granted a moment ago opens the vault after minutes, now and then after ten. */
const TRIES = 60;

/**
 * Puts a new operator key into the vault unless one is there, and has the app read it.
 *
 * The key is made here and written to the vault and nowhere else: not to the deployment, whose parameters are kept for
 * all to see, nor to the screen. An existing key is never replaced.
 */
export async function putOperatorKey(needs: Needs, functionAppId: string): Promise<'created' | 'kept'> {
  const outcome = await createUnlessThere(needs);
  needs.say(outcome === 'created' ? 'A new operator key is in the vault.' : 'The vault has an operator key; kept.');
  // The platform looks references up when the app starts and then once a day, and has met this one before the key was there.
  if (outcome === 'created') {
    await needs.callAzure(
      'POST',
      `${functionAppId}/config/configreferences/appsettings/refresh?api-version=2022-03-01`,
    );
  }
  return outcome;
}

async function createUnlessThere(needs: Needs): Promise<'created' | 'kept'> {
  for (let tries = 1; ; tries++) {
    try {
      if (await isThere(needs)) return 'kept';
      await needs.vault.setSecret(OPERATOR_KEY_NAME, randomBytes(32).toString('base64url'), {
        contentType: 'Operator key of Muster',
      });
      return 'created';
    } catch (error) {
      if (!isRefusal(error) || tries === TRIES) throw error;
      if (isClosedNetwork(error)) {
        throw new Error(
          'The vault takes no calls from here. Allow this address with MUSTER_VAULT_ALLOWED_IP, or put the key there from inside the network: docs/deploy.md.',
          { cause: error },
        );
      }
      needs.say(`The vault refuses; a new role takes some minutes. Trying again (${tries} of ${TRIES}).`);
      await needs.wait(PAUSE_MS);
    }
  }
}

function isRefusal(error: unknown): error is RestError {
  return error instanceof RestError && error.statusCode === 403;
}

function isClosedNetwork(error: RestError): boolean {
  return (error.response?.bodyAsText ?? '').includes('ForbiddenByConnection');
}

async function isThere({ vault }: Needs): Promise<boolean> {
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
    console.log('MUSTER_GRANT_DEPLOYER is false: the vault is not touched.');
  } else {
    const needs = { vault: new SecretClient(vaultUrl, deployer), callAzure, wait: sleep, say: console.log };
    await putOperatorKey(needs, requireValue('FUNCTION_APP_ID'));
    console.log(
      `Read it with: az keyvault secret show --id ${vaultUrl}secrets/${OPERATOR_KEY_NAME} --query value -o tsv`,
    );
  }
}
