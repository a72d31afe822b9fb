import { readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { settingNames } from '../shared/wiring/config.ts';
import { deleteData } from './data-folder.ts';
import { whenInterrupted } from './interruption.ts';
import { lockFolder } from './lock.ts';
import { parseScenario, type Scenario } from './microsoft365/scenario.ts';
import { sampleScenario, vendorAppSettings } from './sample-scenario.ts';
import { type Stack, startStack } from './stack.ts';
import { StartError } from './start-error.ts';
import { readStartOptions, startUsage } from './start-options.ts';
import { writeAtomically } from './write-atomically.ts';

/** `npm start`: runs the whole stack until Ctrl-C. */
try {
  await main();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const options = readStartOptions();
  if (options.help) {
    console.log(startUsage);
    return;
  }
  const data = resolve(options.data);
  await mkdir(data, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(data);
  // From here on Ctrl-C ends everything that has been started before it ends this process.
  const interruption = new Promise<void>((resolve) => whenInterrupted('start', resolve));
  let stack: Stack | undefined;
  try {
    const scenario = readScenario(options.scenario);
    if (options.fresh) await deleteData(data);
    const operatorKey = process.env.MUSTER_OPERATOR_KEY;
    if (operatorKey !== undefined && operatorKey.length < 32) {
      throw new StartError('MUSTER_OPERATOR_KEY must have at least 32 characters.');
    }
    stack = await startStack({
      port: options.port,
      processes: options.processes,
      isApart: options.apart,
      data,
      scenario,
      ...(operatorKey !== undefined && { operatorKey }),
      settings: { ...(options.scenario === undefined && vendorAppSettings), ...settingsFromEnvironment() },
      onChange: () => void (stack && writeLocal(stack, data)),
      onLine: (source, line) => {
        if (process.env.MUSTER_VERBOSE || /^(warning|error|critical)/.test(line)) console.log(`${source}: ${line}`);
      },
    });
    await announce(stack, data, scenario);
    await interruption;
    console.log('Stopping …');
  } finally {
    await stack?.stop();
    await rm(join(data, 'local.json'), { force: true });
    await unlock();
  }
}

function readScenario(file: string | undefined): Scenario {
  if (file === undefined) return parseScenario(sampleScenario());
  try {
    return parseScenario(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new StartError(`The scenario ${file} cannot be used: ${(error as Error).message}`);
  }
}

/**
 * The app settings from the environment, for example in `CHECK_GIVE_UP_AFTER=PT1M npm start`, and what overrides
 * `host.json`, for example `AzureFunctionsJobHost__functionTimeout=00:00:30`.
 */
function settingsFromEnvironment(): Record<string, string> {
  const allowed = new Set<string>(
    settingNames.filter((name) => !/^(AZURE_|SIMULATOR_|WEBSITE_|DataStorage|KEY_VAULT|OPERATOR)/.test(name)),
  );
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        (allowed.has(entry[0]) || entry[0].startsWith('AzureFunctionsJobHost__')) && entry[1] !== undefined,
    ),
  );
}

async function announce(stack: Stack, data: string, scenario: Scenario): Promise<void> {
  const local = stack.local();
  await writeLocal(stack, data);
  const tenants = scenario.tenants.flatMap((tenant) =>
    tenant.apps.map((app) => {
      const begin = `  ${tenant.name}: "tenant": "${tenant.domains[0] ?? tenant.id}", `;
      if (app.trustsDeployment) return `${begin}"app": "vendor", "cloud": "simulator"`;
      const secret = app.secrets[0]?.value ?? '(none)';
      return `${begin}"clientId": "${app.clientId}", "clientSecret": "${secret}", "cloud": "simulator"`;
    }),
  );
  console.log(`Muster is ready at ${local.apiUrl}

Operator key             ${local.operatorKey}
Simulated Microsoft 365  ${local.simulatorUrl}
Its certificate          ${local.certificate}

Tenants you can connect (for the body of POST /v1/connections):
${tenants.join('\n')}

The addresses and the key are also in ${join(data, 'local.json')}.
Press Ctrl-C to stop. Your data is kept. To delete it at the next start, use --fresh.`);
}

/** Only the owner may read the file, because it contains the operator key. */
async function writeLocal(stack: Stack, data: string): Promise<void> {
  await writeAtomically(join(data, 'local.json'), JSON.stringify(stack.local(), undefined, 2), 0o600);
}
