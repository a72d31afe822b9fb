import { expect, it } from 'vitest';
import { createAccessLog } from '../../../local/storage-access-log.ts';

const line = (request: string, status: number | '-' = 200) =>
  `127.0.0.1 - - [21/Nov/2026:01:48:00 +0000] "${request} HTTP/1.1" ${status} -`;

it.each([
  ['POST /devstoreaccount1/check-mailbox/messages?visibilitytimeout=0', 'queue', 'check-mailbox/messages'],
  ['DELETE /devstoreaccount1/check-mailbox/messages/6f1c?popreceipt=x', 'queue', 'check-mailbox/messages/{id}'],
  ['POST /devstoreaccount1/$batch', 'table', '$batch'],
  ['GET /devstoreaccount1/mailboxes()?$filter=x', 'table', 'mailboxes()'],
  ["GET /devstoreaccount1/mailboxes(PartitionKey='a%20b',RowKey='c')", 'table', 'mailboxes(…)'],
  ['PUT /devstoreaccount1/uploads/cus_1/imp_1?comp=blocklist', 'blob', 'uploads/{name}'],
  ['PUT /devstoreaccount1/azure-webjobs-hosts/locks/x?comp=lease', 'blob', 'azure-webjobs-hosts/{name}'],
  ['GET /devstoreaccount1/mailboxes(%', 'table', 'mailboxes(%'],
])('counts %s by its route without ids', (request, service, route) => {
  const log = createAccessLog();
  expect(log.read(line(request))).toBe(true);
  expect(log.counts()).toEqual([{ service, method: request.split(' ')[0], route, status: 200, count: 1 }]);
});

it('does not consume lines of other logs', () => {
  const log = createAccessLog();
  expect(log.read('Azurite Blob service is starting at http://127.0.0.1:10000')).toBe(false);
  expect(log.counts()).toEqual([]);
});

it('counts a client that disconnected before the answer with status 0', () => {
  const log = createAccessLog();
  log.read(line('GET /devstoreaccount1/mailboxes()', '-'));
  expect(log.counts()).toMatchObject([{ status: 0, count: 1 }]);
});
