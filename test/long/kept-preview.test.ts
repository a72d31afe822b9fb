import { expect, it } from 'vitest';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { everythingStored } from '../support/stored-text.ts';

const MAILBOXES = 120;
const running = useRunningStack(plainTenant(MAILBOXES), {
  settings: { RETENTION_SCHEDULE: '*/2 * * * * *', UPLOADS_KEPT: 'PT20S', ROWS_KEPT: 'PT10S', PREVIEW_KEPT: 'PT15S' },
  processes: 3,
});

/** Where an address of the tenant is stored. */
async function placesOf(address: string): Promise<string[]> {
  const places: string[] = [];
  for await (const { place, text } of everythingStored(running.stack.local().storage.connectionString)) {
    if (text.includes(address)) places.push(place);
  }
  return places;
}

it('starts an import from a dry run, and removes its upload and its rows in time; counts and mailboxes stay', async () => {
  const { muster, owner } = running;
  const connection = await running.connect();
  const nobody = `nobody@${tenant.domain}`;
  const csv = csvOf([...plainAddresses(MAILBOXES), nobody, nobody, 'x']);

  const unused = await muster.imports.start(connection.id, csv, { dryRun: true });
  const preview = await muster.imports.start(connection.id, csv, { dryRun: true });
  const findingCounts = { duplicate_in_file: 1, address_malformed: 1 };
  expect(preview).toMatchObject({ accepted: MAILBOXES + 1, findingCounts, uploadId: expect.any(String) });

  const path = `/v1/connections/${connection.id}/imports`;
  const body = { uploadId: preview.uploadId };
  const answers = await Promise.all(Array.from({ length: 6 }, () => owner.call('POST', path, { body })));
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409, 409]);
  const importId = String(preview.uploadId).replace('upl_', 'imp_');
  const ended = await running.untilEnded(importId, 60_000);
  expect(ended).toMatchObject({ status: 'completed', findingCounts, counts: { rows: MAILBOXES + 3, failed: 1 } });
  expect(await running.allRows(importId)).toHaveLength(MAILBOXES + 3);
  expect(await placesOf(nobody)).toContainEqual(expect.stringContaining(importId));

  await expect
    .poll(() => running.progressOf(importId).then(({ rowsExpireAt }) => rowsExpireAt), { timeout: 10_000 })
    .toEqual(expect.any(String));
  await expect
    .poll(async () => (await owner.call('GET', `/v1/imports/${importId}/rows`)).status, { timeout: 30_000 })
    .toBe(410);
  // The mailbox itself stays, and so does what the other dry run has kept: it is removed ten minutes later.
  await expect
    .poll(async () => (await placesOf(nobody)).filter((place) => place.includes(importId)), { timeout: 60_000 })
    .toEqual([]);
  const { counts, status } = await running.progressOf(importId);
  expect({ counts, status }).toEqual({ counts: ended.counts, status: 'completed' });
  expect((await owner.call('GET', `/v1/connections/${connection.id}/mailboxes/${nobody}`)).status).toBe(200);

  const expired = await owner.call('POST', path, { body: { uploadId: unused.uploadId } });
  expect(expired.status).toBe(404);
}, 150_000);
