import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type CallAzure, callAzure, mayPass, readGraph, refreshReferences, requireValue } from './azure.ts';
import { checkVendorApp, readVendorAppChoice } from './check-vendor-app.ts';

interface Deps {
  callAzure: CallAzure;
  /** Status of a GET, or `undefined` if there was no answer. */
  getStatus: (url: string) => Promise<number | undefined>;
  wait: (ms: number) => Promise<unknown>;
  say: (line: string) => void;
}

interface Deployment {
  functionAppId: string;
  apiUrl: string;
  /** Only some networks may call the app, perhaps not this one. */
  isNarrowed: boolean;
}

/** Without this function no mailbox is checked. It is missing if the app's code did not load. */
export const WORKER = 'check-mailbox';

const functionList = z.object({ value: z.array(z.object({ properties: z.object({ name: z.string() }) })) });
const API_VERSION = 'api-version=2024-04-01';
const PAUSE_MS = 10_000;
/** A new role acts after some minutes, sometimes after ten. Until then the app's storage refuses it. */
const TRIES = 90;
/** How often the references are resolved again: once a minute. The app may have started before its role on the vault acted. */
const REFRESH_EVERY = 6;

/**
 * Resolves when the deployed app is ready and the platform knows its triggers. Rejects after fifteen minutes, which fails
 * the deployment, and immediately if Azure refuses the caller.
 *
 * After a deployment the platform sometimes does not list the app's functions. It then starts none of them: queues fill
 * up, although HTTP works. So this synchronizes the triggers and checks the list.
 * https://github.com/Azure/azure-functions-host/issues/10169
 */
export async function checkDeployment(deps: Deps, deployment: Deployment): Promise<void> {
  const { functionAppId, apiUrl, isNarrowed } = deployment;
  const ready = `${apiUrl}/v1/health/ready`;
  let state = '';
  for (let tries = 1; tries <= TRIES; tries++) {
    const platform = await askPlatform(deps, functionAppId, tries % REFRESH_EVERY === 0);
    const status = await deps.getStatus(ready);
    const functions = platform.fault ?? `Functions: ${platform.names.join(', ') || 'none'}`;
    state = `${ready} answers ${status ?? 'nothing'}. ${functions}.`;
    if (platform.names.includes(WORKER)) {
      if (status === 200) {
        return deps.say(`${ready} answers 200, and the platform lists ${platform.names.length} functions.`);
      }
      if (status === 403 && isNarrowed) {
        return deps.say(
          `The platform lists ${platform.names.length} functions. The app admits only the networks that you named, and not this one, so ask ${ready} from one of them.`,
        );
      }
    }
    deps.say(`Not ready yet: ${state}`);
    await deps.wait(PAUSE_MS);
  }
  throw new Error(
    `The deployment does not work: ${state} If a setting is missing, ${apiUrl}/v1/health names it. See docs/deploy.md.`,
  );
}

/** Synchronizes the triggers and lists the functions. `fault` says why Azure did not, if it may do so later. */
async function askPlatform(
  deps: Deps,
  functionAppId: string,
  refreshesReferences: boolean,
): Promise<{ names: string[]; fault?: string }> {
  try {
    if (refreshesReferences) await refreshReferences(deps.callAzure, functionAppId);
    await deps.callAzure('POST', `${functionAppId}/syncfunctiontriggers?${API_VERSION}`);
    const answer = await deps.callAzure('GET', `${functionAppId}/functions?${API_VERSION}`);
    // Names have the form "app/function".
    return { names: functionList.parse(answer).value.map(({ properties }) => properties.name.replace(/^.*\//, '')) };
  } catch (error) {
    if (!mayPass(error)) throw error;
    return { names: [], fault: error instanceof Error ? error.message : String(error) };
  }
}

async function getStatus(url: string): Promise<number | undefined> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(30_000) })).status;
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  // First, because the app does not start without a credential that it was told to use.
  const vendorApp = readVendorAppChoice();
  if (vendorApp) await checkVendorApp({ callAzure, readGraph, say: console.log, now: new Date() }, vendorApp);
  await checkDeployment(
    { callAzure, getStatus, wait: sleep, say: console.log },
    {
      functionAppId: requireValue('FUNCTION_APP_ID'),
      apiUrl: requireValue('API_URL'),
      isNarrowed: requireValue('API_INGRESS') === 'narrowed',
    },
  );
}
