import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AzureRefusal } from '../../infra/hooks/azure.ts';
import { checkDeployment, WORKER } from '../../infra/hooks/check-deployment.ts';

const APP = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/f';

/** A deployed app. Each wait advances it to the next of these states, and it stays in the last one. */
function simulatedApp(...states: { health: number | undefined; functions: string[] | Error }[]) {
  const seen: { lines: string[]; synchronised: number; refreshed: number; waits: number } = {
    lines: [],
    synchronised: 0,
    refreshed: 0,
    waits: 0,
  };
  let state = 0;
  const now = () => states[Math.min(state, states.length - 1)] ?? { health: undefined, functions: [] };
  const deps = {
    async callAzure(method: string, path: string) {
      const { functions } = now();
      if (functions instanceof Error) throw functions;
      if (path === `${APP}/config/configreferences/appsettings/refresh?api-version=2022-03-01` && method === 'POST') {
        seen.refreshed++;
        return undefined;
      }
      if (path === `${APP}/syncfunctiontriggers?api-version=2024-04-01` && method === 'POST') {
        seen.synchronised++;
        return undefined;
      }
      expect(`${method} ${path}`).toBe(`GET ${APP}/functions?api-version=2024-04-01`);
      return { value: functions.map((name) => ({ properties: { name: `f/${name}` } })) };
    },
    async getStatus(url: string) {
      expect(url).toBe('https://f.example/v1/health/ready');
      return now().health;
    },
    async wait() {
      seen.waits++;
      state++;
    },
    say: (line: string) => void seen.lines.push(line),
  };
  return { deps, seen };
}

const run = (deps: Parameters<typeof checkDeployment>[0], isNarrowed = false) =>
  checkDeployment(deps, { functionAppId: APP, apiUrl: 'https://f.example', isNarrowed });

test('passes an app that answers and whose triggers the platform knows', async () => {
  const { deps, seen } = simulatedApp({ health: 200, functions: [WORKER, 'plan-import'] });
  await run(deps);
  expect(seen).toMatchObject({ synchronised: 1, waits: 0 });
});

test('waits for an app that is still starting', async () => {
  const { deps, seen } = simulatedApp(
    { health: undefined, functions: [] },
    { health: 404, functions: [] },
    { health: 200, functions: [WORKER] },
  );
  await run(deps);
  expect(seen).toMatchObject({ synchronised: 3, waits: 2 });
});

test.each([
  [
    '400 from the host runtime',
    new AzureRefusal('POST', 400, 'Encountered an error (ServiceUnavailable) from host runtime.'),
  ],
  ['503', new AzureRefusal('POST', 503, '')],
  ['429', new AzureRefusal('POST', 429, '')],
  ['no answer', new TypeError('fetch failed')],
  ['no answer in time', new DOMException('timed out', 'TimeoutError')],
])('waits if Azure gives %s', async (_, fault) => {
  const { deps, seen } = simulatedApp(
    { health: 503, functions: fault },
    { health: 200, functions: fault },
    { health: 200, functions: [WORKER] },
  );
  await run(deps);
  expect(seen.waits).toBe(2);
  expect(seen.lines[0]).toContain(fault.message);
});

test.each([401, 403, 404])('fails immediately if Azure refuses the caller with %i', async (status) => {
  const { deps, seen } = simulatedApp({ health: 200, functions: new AzureRefusal('POST', status, 'no') });
  await expect(run(deps)).rejects.toThrow(String(status));
  expect(seen.waits).toBe(0);
});

test('waits for new roles for longer than the ten minutes that they may take', async () => {
  const { deps, seen } = simulatedApp({ health: 503, functions: [WORKER] });
  await expect(run(deps)).rejects.toThrow(/answers 503/);
  expect(seen.waits * 10).toBeGreaterThan(600);
});

// Otherwise an app that started before its role on the vault acted would have no operator key for a day.
test('resolves the references to the vault again, once a minute, while the app is not ready', async () => {
  const starting = Array.from({ length: 13 }, () => ({ health: 503, functions: [WORKER] }));
  const { deps, seen } = simulatedApp(...starting, { health: 200, functions: [WORKER] });
  await run(deps);
  expect([seen.waits, seen.refreshed]).toEqual([13, 2]);
});

// Its rules of ingress answer 403 themselves, before the app.
test('passes an app that does not admit this network, if the deployment narrows who may call it', async () => {
  const { deps, seen } = simulatedApp({ health: 403, functions: [WORKER] });
  await run(deps, true);
  expect(seen.lines.join()).toContain('/v1/health/ready from one of them');
});

// A stopped app answers 403 as well.
test('fails an app that answers 403 to everyone', async () => {
  const { deps } = simulatedApp({ health: 403, functions: [WORKER] });
  await expect(run(deps)).rejects.toThrow(/answers 403/);
});

// HTTP alone proves nothing: if the platform does not know the queue worker, the API answers but no mailbox is checked.
test('fails an app whose queue worker the platform does not know', async () => {
  const { deps } = simulatedApp({ health: 200, functions: ['WarmUp'] });
  await expect(run(deps)).rejects.toThrow(/answers 200.*WarmUp/s);
});

test('checks for the worker that the deployment keeps warm', () => {
  expect(readFileSync('infra/app/api.bicep', 'utf8')).toContain(`name: 'function:${WORKER}'`);
});
