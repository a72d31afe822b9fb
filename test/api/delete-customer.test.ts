import { beforeEach, describe, expect, it } from 'vitest';
import { PURGE_LOST_AFTER_MS, PURGES_PER_RUN_MAX, purgeDueCustomers } from '../../shared/customers/purge-customer.ts';
import { sweepImports } from '../../shared/imports/recovering/sweep-imports.ts';
import { createApi, OPERATOR_KEY } from '../support/api.ts';
import type { RequestOptions } from '../support/function-caller.ts';
import { jsonOf } from '../support/json-of.ts';
import { anImport } from '../support/records.ts';

const key = OPERATOR_KEY;
const WEEK_MS = 7 * 24 * 3_600_000;

let api: ReturnType<typeof createApi>;
let acme: Awaited<ReturnType<typeof api.customer>>;
let purged: string[];

beforeEach(async () => {
  api = createApi();
  acme = await api.customer();
  purged = [];
  api.deps.customerPurgers.push(async (id) => void purged.push(id));
});

const path = () => `/v1/customers/${acme.id}`;
const statusOf = async (method: string, url: string, as: string) =>
  (await api.request(method, url, { key: as })).status;
/** What the timer does. */
const purgeDue = (deps: typeof api.deps = api.deps) => purgeDueCustomers(deps, () => undefined);
const pass = (ms: number) => {
  api.deps.time.now = new Date(api.deps.time.now.getTime() + ms);
};

describe('DELETE /v1/customers/{customerId}', () => {
  it('204: disables the customer immediately, and purges it after the grace period, not before', async () => {
    expect(await statusOf('DELETE', path(), acme.key)).toBe(204);
    expect(await statusOf('GET', path(), acme.key)).toBe(401);
    expect(await statusOf('GET', path(), key)).toBe(404);
    expect(await statusOf('DELETE', path(), key)).toBe(404);
    const list = await (await api.request('GET', '/v1/customers', { key })).json();
    expect(list).toEqual({ items: [] });
    pass(WEEK_MS - 1);
    expect(await purgeDue()).toBe(0);
    expect(purged).toEqual([]);
    pass(1);
    expect(await purgeDue()).toBe(1);
    expect(purged).toEqual([acme.id]);
    expect(await api.deps.slots.get(acme.id)).toBeUndefined();
    expect(await api.deps.apiKeyStore.list(acme.id, { limit: 9 })).toEqual({ items: [] });
    expect(await api.deps.customers.get(acme.id)).toBeUndefined();
    expect(await purgeDue()).toBe(0);
  });

  it('404: its API keys make no new keys while it is disabled, nor do operators', async () => {
    await statusOf('DELETE', path(), key);
    const body = { name: 'x', role: 'owner' };
    expect((await api.request('POST', `${path()}/api-keys`, { key, body })).status).toBe(404);
    expect((await api.request('POST', `${path()}/api-keys`, { key: acme.key, body })).status).toBe(401);
  });

  it('cancels running imports; if the process dies before that, the sweep does', async () => {
    const record = anImport({ customerId: acme.id });
    const open = { importId: record.id, customerId: acme.id, connectionId: record.connectionId };
    await api.deps.imports.openPointer({ ...open, openedAt: api.deps.time.now });
    await api.deps.imports.insert(record);
    const other = await api.customer({ name: 'Globex' });
    const others = anImport({ id: 'imp_2', customerId: other.id });
    await api.deps.imports.openPointer({
      ...open,
      importId: 'imp_2',
      customerId: other.id,
      openedAt: api.deps.time.now,
    });
    await api.deps.imports.insert(others);
    const statusOfImport = async (customerId: string, id: string) =>
      (await api.deps.imports.get(customerId, id))?.value.status;

    const { cancelImports } = api.deps;
    api.deps.cancelImports = async () => {
      throw new Error('the process died');
    };
    expect(await statusOf('DELETE', path(), key)).toBe(500);
    await sweepImports(api.deps);
    expect(await statusOfImport(acme.id, 'imp_1')).toBe('cancelling');
    expect(await statusOfImport(other.id, 'imp_2')).toBe('running');

    api.deps.cancelImports = cancelImports;
    expect(await statusOf('DELETE', `/v1/customers/${other.id}`, other.key)).toBe(204);
    expect(await statusOfImport(other.id, 'imp_2')).toBe('cancelling');
  });

  it('204: ?purge=now deletes everything immediately, also of a disabled customer; 403 for an owner', async () => {
    expect(await statusOf('DELETE', `${path()}?purge=now`, acme.key)).toBe(403);
    expect(await statusOf('GET', path(), acme.key)).toBe(200);
    expect(await statusOf('DELETE', path(), acme.key)).toBe(204);
    expect(await statusOf('DELETE', `${path()}?purge=now`, key)).toBe(204);
    expect(purged).toEqual([acme.id]);
    expect(await statusOf('POST', `${path()}/restore`, key)).toBe(404);
    expect(await statusOf('DELETE', `${path()}?purge=later`, key)).toBe(400);
  });

  it('?purge=now is completed by the timer if the process dies after the first write, also of a disabled customer', async () => {
    const other = await api.customer({ name: 'Globex' });
    expect(await statusOf('DELETE', `/v1/customers/${other.id}`, other.key)).toBe(204);
    api.deps.cancelImports = async () => {
      throw new Error('the process died');
    };
    for (const { id } of [acme, other]) {
      expect(await statusOf('DELETE', `/v1/customers/${id}?purge=now`, key)).toBe(500);
      expect(await statusOf('POST', `/v1/customers/${id}/restore`, key)).toBe(409);
    }
    expect(await purgeDue()).toBe(2);
    expect(purged.sort()).toEqual([acme.id, other.id].sort());
  });

  describe('what is left of a purged customer', () => {
    const address = '192.0.2.7';
    const call = (method: string, url: string, as: string, options: RequestOptions = {}) =>
      api.request(method, url, { key: as, ...options, headers: { 'x-forwarded-for': address, ...options.headers } });
    const proof = {
      action: 'customers.delete',
      result: 'succeeded',
      status: 204,
      requestId: expect.stringContaining('req-'),
    };
    /** Changes by the owner and by an operator, and one of another customer. */
    async function makeRecords() {
      await call('PATCH', path(), acme.key, { body: { name: 'A' } });
      await call('POST', `${path()}/api-keys`, key, { body: { name: 'ci', role: 'member' } });
      const other = await api.customer({ name: 'Globex' });
      await call('PATCH', `/v1/customers/${other.id}`, other.key, { body: { name: 'G' } });
      return other;
    }
    const left = () => api.deps.auditLog.records();

    it('after ?purge=now: one audit record that names the operator’s key, and no address', async () => {
      const other = await makeRecords();
      pass(1);
      expect((await call('DELETE', `${path()}?purge=now`, key)).status).toBe(204);
      const [record, others, ...more] = left();
      expect(record).toMatchObject({
        ...proof,
        keyId: 'operator',
        role: 'operator',
        customerId: acme.id,
        object: acme.id,
      });
      expect(record).not.toHaveProperty('address');
      expect(others).toMatchObject({ customerId: other.id, address });
      expect(more).toEqual([]);
      const headers = { 'muster-customer': acme.id };
      const found = await (await call('GET', '/v1/audit', key, { headers })).json();
      expect(found).toMatchObject({ items: [{ ...proof, address: null }] });
    });

    it('after an owner’s deletion and the grace period: the same, without the ID of its key', async () => {
      await makeRecords();
      expect((await call('DELETE', path(), acme.key)).status).toBe(204);
      pass(WEEK_MS);
      await purgeDue();
      const records = left().filter(({ customerId }) => customerId === acme.id);
      expect(records).toMatchObject([{ ...proof, keyId: 'deleted', role: 'owner', at: api.deps.time.now }]);
      expect(JSON.stringify(records)).not.toContain('key_');
      expect(JSON.stringify(records)).not.toContain(address);
    });

    it('still only one if the process dies at any step of the purge, and the timer completes it', async () => {
      await makeRecords();
      const { auditLog, customers } = api.deps;
      const dies = async () => {
        throw new Error('the process died');
      };
      await call('DELETE', path(), key);
      pass(WEEK_MS);
      for (const deps of [
        { ...api.deps, auditLog: { ...auditLog, purge: dies } },
        { ...api.deps, auditLog: { ...auditLog, insert: dies } },
        { ...api.deps, customers: { ...customers, remove: dies } },
      ]) {
        await expect(purgeDue(deps)).rejects.toThrow('the process died');
      }
      expect(await purgeDue()).toBe(1);
      expect(left().filter(({ customerId }) => customerId === acme.id)).toMatchObject([proof]);
    });

    it('no answer that was stored for an operator’s request about it', async () => {
      const headers = { 'idempotency-key': 'one' };
      const body = { name: 'Hooli', mailboxSlots: 5 };
      const make = async () => {
        const response = await call('POST', '/v1/customers', key, { headers, body });
        return {
          id: (await jsonOf<{ id: string }>(response)).id,
          isReplayed: response.headers.has('idempotency-replayed'),
        };
      };
      const { id } = await make();
      const asKey = { headers: { 'idempotency-key': 'two' }, body: { name: 'x', role: 'owner' } };
      await call('POST', `/v1/customers/${id}/api-keys`, key, asKey);
      expect(await make()).toEqual({ id, isReplayed: true });
      await call('DELETE', `/v1/customers/${id}?purge=now`, key);
      expect((await call('POST', `/v1/customers/${id}/api-keys`, key, asKey)).status).toBe(404);
      expect(await make()).toMatchObject({ isReplayed: false });
    });

    it('during the grace period an operator can read and keep all its audit records, page by page', async () => {
      for (const name of ['A', 'B', 'C', 'D']) {
        pass(1);
        await call('PATCH', path(), acme.key, { body: { name } });
      }
      pass(1);
      await call('DELETE', path(), acme.key);
      const headers = { 'muster-customer': acme.id };
      const read: { action: string }[] = [];
      let cursor = '';
      do {
        const query = `?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
        const page = await jsonOf<{ items: { action: string }[]; nextCursor?: string }>(
          await call('GET', `/v1/audit${query}`, key, { headers }),
        );
        read.push(...page.items);
        cursor = page.nextCursor ?? '';
      } while (cursor !== '');
      expect(read.map(({ action }) => action)).toEqual(['customers.delete', ...Array(4).fill('customers.update')]);
    });
  });

  it('never removes an operator’s key, which still works and can be revoked', async () => {
    const operators = await api.keyFor(acme.id, 'operator', new Date('2027-06-01T00:00:00Z'));
    await statusOf('DELETE', `${path()}?purge=now`, operators);
    pass(60_000);
    expect(await statusOf('GET', '/v1/customers', operators)).toBe(200);
    const [kept] = (await api.deps.apiKeyStore.list(acme.id, { limit: 9 })).items;
    expect(await statusOf('DELETE', `${path()}/api-keys/${kept?.id}`, key)).toBe(204);
    expect(await statusOf('GET', '/v1/customers', operators)).toBe(401);
  });

  it('completes a purge that broke off, and does not restore its customer', async () => {
    let isBroken = true;
    api.deps.customerPurgers.push(async () => {
      if (isBroken) throw new Error('storage fell over');
    });
    expect(await statusOf('DELETE', `${path()}?purge=now`, key)).toBe(500);
    expect(await statusOf('POST', `${path()}/restore`, key)).toBe(409);
    isBroken = false;
    expect(await purgeDue()).toBe(1);
    expect(await api.deps.customers.listDeleting()).toEqual([]);
  });

  it('leaves a purge to the process that is at work on it, and completes it half a minute after that has died', async () => {
    const { customerPurgers } = api.deps;
    const dying = { ...api.deps, customerPurgers: [() => new Promise<never>(() => undefined)] };
    await statusOf('DELETE', path(), key);
    pass(WEEK_MS);
    void purgeDue(dying);
    await expect.poll(async () => (await api.deps.customers.get(acme.id))?.value.purgeHeldUntil).toBeDefined();
    pass(PURGE_LOST_AFTER_MS - 1);
    expect(await purgeDue()).toBe(0);
    expect(purged).toEqual([]);
    pass(1);
    expect(await purgeDue({ ...api.deps, customerPurgers })).toBe(1);
    expect(purged).toEqual([acme.id]);
  });

  it('goes on with the other customers when one purge fails, and fails at the end', async () => {
    const others = [await api.customer(), await api.customer()];
    for (const { id } of [acme, ...others]) await statusOf('DELETE', `/v1/customers/${id}`, key);
    pass(WEEK_MS);
    const [first = ''] = (await api.deps.customers.listDeleting()).map(({ id }) => id);
    const failing = async (id: string) => {
      if (id === first) throw new Error('storage fell over');
    };
    const deps = { ...api.deps, customerPurgers: [failing, ...api.deps.customerPurgers] };
    await expect(purgeDue(deps)).rejects.toThrow('storage fell over');
    expect(purged).toHaveLength(2);
    expect((await api.deps.customers.listDeleting()).map(({ id }) => id)).toEqual([first]);
    expect(await purgeDue()).toBe(1);
  });

  it('purges a bounded number of customers in one run, and the others in the next', async () => {
    const extra = 3;
    for (let i = 1; i < PURGES_PER_RUN_MAX + extra; i++) {
      await statusOf('DELETE', `/v1/customers/${(await api.customer()).id}`, key);
    }
    await statusOf('DELETE', path(), key);
    pass(WEEK_MS);
    expect(await purgeDue()).toBe(PURGES_PER_RUN_MAX);
    expect(await purgeDue()).toBe(extra);
    expect(new Set(purged).size).toBe(PURGES_PER_RUN_MAX + extra);
  });
});

describe('POST /v1/customers/{customerId}/restore', () => {
  it('200: brings the customer and its keys back, and is not purged later', async () => {
    await statusOf('DELETE', path(), acme.key);
    const restored = await api.request('POST', `${path()}/restore`, { key });
    expect([restored.status, await restored.json()]).toMatchObject([
      200,
      { id: acme.id, name: 'Acme', mailboxSlots: 10 },
    ]);
    expect(await statusOf('GET', path(), acme.key)).toBe(200);
    pass(2 * WEEK_MS);
    expect(await purgeDue()).toBe(0);
    expect(await statusOf('GET', path(), acme.key)).toBe(200);
    // Repeatable.
    expect(await statusOf('POST', `${path()}/restore`, key)).toBe(200);
  });

  it('404: a customer that never was; 403: an owner', async () => {
    expect(await statusOf('POST', '/v1/customers/cust_absent/restore', key)).toBe(404);
    expect(await statusOf('POST', `${path()}/restore`, acme.key)).toBe(403);
  });
});
