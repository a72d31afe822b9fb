import type { Connection } from '../../shared/connections/connection.ts';
import type { ConnectionStore, Deletion } from '../../shared/connections/connection-store.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { quotaReached } from '../../shared/kernel/quota.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';
import { copyOf } from './copy-of.ts';
import { pageOf } from './page-of.ts';

/** Connections in memory. */
export function inMemoryConnections(): ConnectionStore {
  const kept = new Map<string, Tagged<Connection>>();
  const hidden = new Map<string, Connection>();
  const deletions = new Map<string, Deletion>();
  let tags = 0;
  const put = (connection: Connection): string => {
    const tag = `tag-${++tags}`;
    kept.set(connection.id, { value: copyOf(connection), tag });
    return tag;
  };
  const own = (customerId: string, connectionId: string) => {
    const found = kept.get(connectionId);
    return found?.value.customerId === customerId ? copyOf(found) : undefined;
  };
  const all = () => [...kept.values()].map(({ value }) => copyOf(value)).sort((a, b) => (a.id > b.id ? -1 : 1));
  return {
    async get(customerId, connectionId) {
      return own(customerId, connectionId);
    },
    async list(customerId, request) {
      return pageOf(
        all().filter((connection) => connection.customerId === customerId),
        request,
      );
    },
    async *listAll() {
      yield* all();
    },
    async insert(connection, connectionsMax = Number.POSITIVE_INFINITY) {
      const stored = own(connection.customerId, connection.id);
      if (stored) return stored.value;
      const others = all().filter(({ customerId }) => customerId === connection.customerId);
      if (others.length >= connectionsMax) throw quotaReached('connections', connectionsMax, 'Disconnect one.');
      if (all().some((other) => isSame(connection, other))) throw alreadyConnected();
      put(connection);
      return connection;
    },
    async update(connection, tag) {
      return own(connection.customerId, connection.id)?.tag === tag ? put(connection) : undefined;
    },
    async updateApp(connection, tag) {
      if (own(connection.customerId, connection.id)?.tag !== tag) return undefined;
      if (all().some((other) => other.id !== connection.id && isSame(connection, other))) throw alreadyConnected();
      return put(connection);
    },
    async hide(connection, tag, dueAt) {
      const { customerId, id: connectionId } = connection;
      deletions.set(connectionId, { customerId, connectionId, dueAt });
      if (own(customerId, connectionId)?.tag !== tag) return false;
      hidden.set(connectionId, copyOf(connection));
      kept.delete(connectionId);
      return true;
    },
    async getHidden(customerId, connectionId) {
      const found = hidden.get(connectionId);
      return found?.customerId === customerId ? copyOf(found) : undefined;
    },
    async removeHidden(customerId, connectionId) {
      if (hidden.get(connectionId)?.customerId === customerId) hidden.delete(connectionId);
      deletions.delete(connectionId);
    },
    async forgetDeletion(connectionId) {
      deletions.delete(connectionId);
    },
    async noteDeletion(deletion) {
      deletions.set(deletion.connectionId, { ...deletion });
    },
    async listDeletions() {
      return copyOf([...deletions.values()]);
    },
    async purge(customerId) {
      for (const [id, { value }] of kept) if (value.customerId === customerId) kept.delete(id);
      for (const records of [hidden, deletions]) {
        for (const [id, record] of records) if (record.customerId === customerId) records.delete(id);
      }
    },
  };
}

const isSame = (one: Connection, other: Connection) =>
  (['customerId', 'cloud', 'tenantId', 'clientId'] as const).every((field) => one[field] === other[field]);

const alreadyConnected = () => new DomainError('conflict', 'There is a connection to this tenant already.');
