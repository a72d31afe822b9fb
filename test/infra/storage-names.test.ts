import { expect, test } from 'vitest';
import { containers, poisonQueues, queues, tables } from '../../shared/kernel/storage-names.ts';
import { at, Expression, readBicep } from './bicep.ts';

const storage = readBicep('infra/app/storage.bicep');
const variable = (name: string) => storage.variables.find((one) => one.name === name)?.value;

test.each([
  ['queueNames', queues],
  ['poisonQueueNames', poisonQueues],
  ['tableNames', tables],
  ['containerNames', containers],
])('%s are exactly those of the code', (name, inCode) => {
  expect(variable(name)).toEqual(Object.values(inCode));
});

test('every queue has a poison queue with the name that the host uses', () => {
  expect(Object.entries(poisonQueues)).toEqual(Object.entries(queues).map(([key, name]) => [key, `${name}-poison`]));
});

test.each([
  ['queues', 'concat(queueNames, poisonQueueNames)', 'dataQueues'],
  ['tables', 'tableNames', 'dataTables'],
  ['containers', 'containerNames', 'dataBlobs'],
])('%s are created from those lists, in the data account', (name, list, parent) => {
  const resource = storage.resources.find((one) => one.name === name);
  expect(resource?.node.text).toContain(`in ${list}:`);
  expect(at(resource?.value, 'parent')).toEqual(new Expression(parent));
});

test('a rule of the data account deletes old uploads', () => {
  const rules = at(storage.resources.find(({ name }) => name === 'lifecycle')?.value, 'properties', 'policy', 'rules');
  const [rule] = Array.isArray(rules) ? rules : [];
  expect(at(rule, 'enabled')).toBe(true);
  expect(at(rule, 'definition', 'filters', 'prefixMatch')).toEqual([`${containers.uploads}/`]);
  expect(at(rule, 'definition', 'actions', 'baseBlob', 'delete', 'daysAfterModificationGreaterThan')).toEqual(
    new Expression('uploadsKeptDays'),
  );
});
