import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkDeployment, WORKER } from '../../infra/hooks/check-deployment.ts';

const APP = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/f';

/** A deployed app. Each wait advances it to the next of these states, and it stays in the last one. */
function simulatedApp(...states: { health: number | undefined; functions: string[] }[]) {
  const seen: { lines: string[]; synchronised: number; waits: number } = { lines: [], synchronised: 0, waits: 0 };
  let state = 0;
  const now = () => states[Math.min(state, states.length - 1)] ?? { health: undefined, functions: [] };
  const deps = {
    async callAzure(method: string, path: string) {
      if (path === `${APP}/syncfunctiontriggers?api-version=2024-04-01` && method === 'POST') {
        seen.synchronised++;
        return undefined;
      }
      expect(`${method} ${path}`).toBe(`GET ${APP}/functions?api-version=2024-04-01`);
      return { value: now().functions.map((name) => ({ properties: { name: `f/${name}` } })) };
    },
    async getStatus(url: string) {
      expect(url).toBe('https://f.example/v1/health');
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

const run = (deps: Parameters<typeof checkDeployment>[0]) => checkDeployment(deps, APP, 'https://f.example');

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

// HTTP alone proves nothing: if the platform does not know the queue worker, the API answers but no mailbox is checked.
test('fails an app whose queue worker the platform does not know', async () => {
  const { deps } = simulatedApp({ health: 200, functions: ['WarmUp'] });
  await expect(run(deps)).rejects.toThrow(/answers 200.*WarmUp/s);
});

test('fails an app that does not answer', async () => {
  const { deps } = simulatedApp({ health: 503, functions: [WORKER] });
  await expect(run(deps)).rejects.toThrow(/answers 503/);
});

test('checks for the worker that the deployment keeps warm', () => {
  expect(readFileSync('infra/app/api.bicep', 'utf8')).toContain(`name: 'function:${WORKER}'`);
});
