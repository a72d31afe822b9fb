import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { odata, type TableClient } from '@azure/data-tables';
import type { AnswerMemory, AnswerRecord, RememberedAnswer } from '../../kernel/answer-memory.ts';
import { undefinedOn } from '../storage-errors.ts';
import { escapeKey } from './keys.ts';
import { purgePartition } from './purge-partition.ts';
import { eachEntity } from './read-entities.ts';

/** A property holds up to 64 KiB, a row up to 1 MiB. */
const CHUNK_BYTES = 60 * 1024;
const CHUNKS_MAX = 16;

/** Remembered answers, with a partition for each owner of keys. An answer is compressed and split over properties. */
export function tableAnswers(table: TableClient): AnswerMemory {
  return {
    async get(owner, id) {
      const entity = await undefinedOn(
        [404],
        table.getEntity<Record<string, unknown>>(escapeKey(owner), escapeKey(id)),
      );
      return entity && { value: fromEntity(owner, id, entity), tag: entity.etag };
    },
    async insert(record) {
      return (await undefinedOn([409], table.createEntity(toEntity(record))))?.etag;
    },
    async update(record, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(record), 'Replace', { etag: tag }));
      return written?.etag;
    },
    async remove({ owner, id }, tag) {
      await undefinedOn([404, 412], table.deleteEntity(escapeKey(owner), escapeKey(id), { etag: tag }));
    },
    async purge(customerId) {
      await purgePartition(table, escapeKey(customerId));
      // Reads the whole table. It holds the answers of a day or two, and customers are seldom deleted.
      const about = odata`customerId eq ${customerId}`;
      for await (const { partitionKey = '', rowKey = '' } of eachEntity(table, about, ['PartitionKey', 'RowKey'])) {
        await undefinedOn([404], table.deleteEntity(partitionKey, rowKey));
      }
    },
    async removeExpired(before) {
      const filter = odata`expiresAt lt ${before.toISOString()}`;
      let removed = 0;
      for await (const { partitionKey = '', rowKey = '', etag } of eachEntity(table, filter, [
        'PartitionKey',
        'RowKey',
      ])) {
        // Only if it is unchanged: since it was read, the key may have been used for a new request.
        await undefinedOn([404, 412], table.deleteEntity(partitionKey, rowKey, { etag }));
        removed++;
      }
      return removed;
    },
  };
}

function toEntity(record: AnswerRecord) {
  return {
    partitionKey: escapeKey(record.owner),
    rowKey: escapeKey(record.id),
    ...(record.customerId !== undefined && { customerId: record.customerId }),
    ...(record.fingerprint !== undefined && { fingerprint: record.fingerprint }),
    begunAt: record.begunAt.toISOString(),
    holder: record.holder,
    lockedUntil: record.lockedUntil.toISOString(),
    expiresAt: record.expiresAt.toISOString(),
    ...(record.answer && toChunks(record.answer)),
  };
}

function toChunks(answer: RememberedAnswer): Record<string, Uint8Array | number> {
  const bytes = deflateRawSync(JSON.stringify(answer));
  const chunks = Math.ceil(bytes.length / CHUNK_BYTES);
  if (chunks > CHUNKS_MAX) throw new Error(`an answer of ${bytes.length} bytes, compressed, is too large to store`);
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
    begunAt: new Date(String(entity.begunAt)),
    holder: String(entity.holder),
    lockedUntil: new Date(String(entity.lockedUntil)),
    expiresAt: new Date(String(entity.expiresAt)),
    ...(typeof entity.customerId === 'string' && { customerId: entity.customerId }),
    ...(typeof entity.fingerprint === 'string' && { fingerprint: entity.fingerprint }),
    ...(chunks.length > 0 && {
      answer: JSON.parse(inflateRawSync(Buffer.concat(chunks)).toString()) as RememberedAnswer,
    }),
  };
}
