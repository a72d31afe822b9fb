import { beforeEach, describe, expect, it } from 'vitest';
import { archivePoison } from '../../../shared/operations/archive-poison.ts';
import { isOwnerGone } from '../../../shared/operations/poison-owner.ts';
import { createApiDeps } from '../../support/api.ts';
import { aConnection, aCustomer, anImport } from '../../support/records.ts';

const check = { customerId: 'cust_1', connectionId: 'conn_1', importId: 'imp_1', address: 'jane@contoso.example' };
const plan = { customerId: 'cust_1', importId: 'imp_1' };
const deletion = { customerId: 'cust_1', connectionId: 'conn_1' };
const delivery = { customerId: 'cust_1', webhookId: 'hook_1' };

let deps: ReturnType<typeof createApiDeps>;
beforeEach(async () => {
  deps = createApiDeps();
  await deps.customers.insert(aCustomer({ id: 'cust_1' }));
  await deps.connections.insert(aConnection());
  await deps.imports.insert(anImport());
});

const isGone = (queue: string, message: unknown) => isOwnerGone(deps, queue, message);
const hide = async () => {
  const found = await deps.connections.get('cust_1', 'conn_1');
  if (found) await deps.connections.hide(found.value, found.tag, deps.time.now);
};
const kept = async () => (await deps.poisonArchive.list('check-mailbox', { limit: 9 })).items;
const archive = (all = deps) =>
  archivePoison(all, { queue: 'check-mailbox', key: 'imp_1:2', message: check, poisonedAt: deps.time.now });

describe('the owner of a poison message', () => {
  it('is there while its customer, connection and import are', async () => {
    for (const message of [check, plan, deletion, delivery]) expect(await isGone('check-mailbox', message)).toBe(false);
    for (const message of ['no object', null, 5, {}, { customerId: 5 }])
      expect(await isGone('check-mailbox', message)).toBe(false);
  });

  it('is gone with the import, the connection or the customer', async () => {
    expect(await isGone('plan-import', { ...plan, importId: 'imp_other' })).toBe(true);
    expect(await isGone('deliver-event', { ...delivery, customerId: 'cust_other' })).toBe(true);
    await hide();
    for (const message of [check, plan]) expect(await isGone('check-mailbox', message)).toBe(true);
    expect(await isGone('deliver-event', delivery)).toBe(false);
  });

  it('of the message that deletes a connection is there until the connection is gone for good', async () => {
    await hide();
    expect(await isGone('delete-connection', deletion)).toBe(false);
    await deps.connections.removeHidden('cust_1', 'conn_1');
    expect(await isGone('delete-connection', deletion)).toBe(true);
  });
});

describe('the archive', () => {
  it('keeps no message whose connection was deleted before it came', async () => {
    expect(await archive()).toBe(true);
    expect(await kept()).toHaveLength(1);
    await deps.poisonArchive.remove('conn_1');
    await hide();
    expect(await archive()).toBe(false);
    expect(await kept()).toEqual([]);
  });

  it('keeps no message whose connection is deleted while it is written', async () => {
    const insert: typeof deps.poisonArchive.insert = async (entry) => {
      await hide();
      await deps.poisonArchive.remove('conn_1');
      return deps.poisonArchive.insert(entry);
    };
    expect(await archive({ ...deps, poisonArchive: { ...deps.poisonArchive, insert } })).toBe(false);
    expect(await kept()).toEqual([]);
  });
});
