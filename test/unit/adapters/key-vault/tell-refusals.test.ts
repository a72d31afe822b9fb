import { createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';
import { expect, it } from 'vitest';
import { tellRefusals } from '../../../../shared/adapters/key-vault/tell-refusals.ts';

/** The events that a 403 with this inner code is told by. */
async function toldBy(innerCode: string): Promise<string[]> {
  const told: string[] = [];
  const [one] = tellRefusals((_level, event) => void told.push(event));
  const request = createPipelineRequest({ url: 'https://vault.test/' });
  const bodyAsText = JSON.stringify({ error: { code: 'Forbidden', innererror: { code: innerCode } } });
  await one?.policy.sendRequest(request, async () => ({
    request,
    status: 403,
    headers: createHttpHeaders(),
    bodyAsText,
  }));
  return told;
}

it.each(['SecretDisabled', 'KeyDisabled', 'KeyExpired', 'KeyNotYetValid'])(
  '%s is about one secret or key, so it is no refusal of the app',
  async (code) => {
    expect(await toldBy(code)).toEqual([]);
  },
);

it.each(['ForbiddenByRbac', 'ForbiddenByConnection'])('%s is told', async (code) => {
  expect(await toldBy(code)).toEqual(['vault_refused']);
});
