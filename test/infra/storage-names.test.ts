import { expect, test } from 'vitest';
import { containers, poisonQueues, queues, tables } from '../../shared/kernel/storage-names.ts';
import { allOf, brief, deployed } from './paper/deployed.ts';

const deployment = deployed();
const DATA = 'Microsoft.Storage/storageAccounts/stdata*';

test.each([
  ['queueServices/queues', [...Object.values(queues), ...Object.values(poisonQueues)]],
  ['tableServices/tables', Object.values(tables)],
  ['blobServices/containers', Object.values(containers)],
])('%s of the data account are exactly those of the code', (kind, inCode) => {
  const [service, plural] = kind.split('/');
  const ids = brief(deployment, allOf(deployment, `Microsoft.Storage/storageAccounts/${kind}`)).map(({ id }) => id);
  const inDataAccount = ids.filter((id) => !id.includes('/sthost*/'));
  expect(inDataAccount).toEqual(inCode.map((name) => `${DATA}/${service}/default/${plural}/${name}`));
});

test('every queue has a poison queue with the name that the host uses', () => {
  expect(Object.entries(poisonQueues)).toEqual(Object.entries(queues).map(([key, name]) => [key, `${name}-poison`]));
});
