import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { odata, type TableClient } from '@azure/data-tables';
import type { AnswerMemory, AnswerRecord, RememberedAnswer } from '../../kernel/answer-memory.ts';
import { escapeKey } from './keys.ts';
import { purgePartition } from './purge-partition.ts';
import { storageAway, unless } from './table-errors.ts';

/** A property holds 64 KiB, a row 1 MiB. */
const CHUNK_BYTES = 60 * 1024;
const CHUNKS_MAX = 16;

/** Remembered answers, a partition for each owner of keys. An answer lies compressed in as many properties as it takes. */
export function tableAnswers(table: TableClient): AnswerMemory {
  return {
    async get(owner, id) {
      const entity = await unless(table.getEntity<Record<string, unknown>>(escapeKey(owner), escapeKey(id)), 404);
      return entity && { value: fromEntity(owner, id, entity), tag: entity.etag };
    },
    async insert(record) {
      const done = await unless(table.createEntity(toEntity(record)), 409);
      return done?.etag;
    },
    async update(record, tag) {
      const done = await unless(table.updateEntity(toEntity(record), 'Replace', { etag: tag }), 404, 412);
      return done?.etag;
    },
    async remove({ owner, id }, tag) {
      await unless(table.deleteEntity(escapeKey(owner), escapeKey(id), { etag: tag }), 404, 412);
    },
    purge: (owner) => purgePartition(table, escapeKey(owner)),
    async removeExpired(before) {
      const filter = odata`expiresAt lt ${before.toISOString()}`;
      let removed = 0;
      try {
        const expired = table.listEntities({ queryOptions: { filter, select: ['PartitionKey', 'RowKey'] } });
        for await (const { partitionKey = '', rowKey = '', etag } of expired) {
          // Only as it was read: the key may have been taken for a new request since.
          await unless(table.deleteEntity(partitionKey, rowKey, { etag }), 404, 412);
          removed++;
        }
      } catch (error) {
        throw storageAway(error);
      }
      return removed;
    },
  };
}

function toEntity(record: AnswerRecord) {
  return {
    partitionKey: escapeKey(record.owner),
    rowKey: escapeKey(record.id),
    ...(record.fingerprint !== undefined && { fingerprint: record.fingerprint }),
    lockedUntil: record.lockedUntil.toISOString(),
    expiresAt: record.expiresAt.toISOString(),
    ...(record.answer && toChunks(record.answer)),
  };
}

function toChunks(answer: RememberedAnswer): Record<string, Uint8Array | number> {
  const bytes = deflateRawSync(JSON.stringify(answer));
  const chunks = Math.ceil(bytes.length / CHUNK_BYTES);
  if (chunks > CHUNKS_MAX) throw new Error(`an answer of ${bytes.length} bytes, compressed, is too long to remember`);
  const properties: Record<string, Uint8Array | number> = { chunks };
  for (let i = 0; i < chunks; i++) {
    properties[`answer${i}`] = new Uint8Array(bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
  }
  return properties;
}

function fromEntity(owner: string, id: string, entity: Record<string, unknown>): AnswerRecord {
  const chunks = Array.from({ length: Number(entity.chunks ?? 0) }, (_, i) => entity[`answer${i}`] as Uint8Array);
  return {
    owner,
    id,
    lockedUntil: new Date(String(entity.lockedUntil)),
    expiresAt: new Date(String(entity.expiresAt)),
    ...(typeof entity.fingerprint === 'string' && { fingerprint: entity.fingerprint }),
    ...(chunks.length > 0 && {
      answer: JSON.parse(inflateRawSync(Buffer.concat(chunks)).toString()) as RememberedAnswer,
    }),
  };
}
