import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkDeployment, WORKER } from '../../infra/hooks/check-deployment.ts';

const APP = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/f';

/** An app of which each look sees the next pair of health and functions, and then the last for good. */
function world(...looks: { health: number | undefined; functions: string[] }[]) {
  const seen = { lines: [] as string[], synchronised: 0, waits: 0 };
  let look = 0;
  const now = () => looks[Math.min(look, looks.length - 1)] ?? { health: undefined, functions: [] };
  const needs = {
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
      look++;
    },
    say: (line: string) => void seen.lines.push(line),
  };
  return { needs, seen };
}

const run = (needs: Parameters<typeof checkDeployment>[0]) => checkDeployment(needs, APP, 'https://f.example');

test('passes an app that answers and whose triggers are known', async () => {
  const { needs, seen } = world({ health: 200, functions: [WORKER, 'plan-import'] });
  await run(needs);
  expect(seen).toMatchObject({ synchronised: 1, waits: 0 });
});

test('waits for an app that is still starting', async () => {
  const { needs, seen } = world(
    { health: undefined, functions: [] },
    { health: 404, functions: [] },
    { health: 200, functions: [WORKER] },
  );
  await run(needs);
  expect(seen).toMatchObject({ synchronised: 3, waits: 2 });
});

// HTTP alone proves nothing: with this fault of the platform the API answers and no mailbox is ever checked.
test('fails an app whose queue worker the platform does not know', async () => {
  const { needs } = world({ health: 200, functions: ['WarmUp'] });
  await expect(run(needs)).rejects.toThrow(/answers 200.*WarmUp/s);
});

test('fails an app that does not answer', async () => {
  const { needs } = world({ health: 503, functions: [WORKER] });
  await expect(run(needs)).rejects.toThrow(/answers 503/);
});

test('the worker that is looked for is the one that is kept warm', () => {
  expect(readFileSync('infra/app/api.bicep', 'utf8')).toContain(`name: 'function:${WORKER}'`);
});
