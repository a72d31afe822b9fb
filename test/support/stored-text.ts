import { inflateRawSync } from 'node:zlib';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';

interface StoredThing {
  /** The table, queue or container, and the key in it. */
  place: string;
  /** Everything that is stored there, keys included. */
  text: string;
}

/** Everything that an account stores in tables, queues and blobs, as text. Messages that are hidden are left out. */
export async function* everythingStored(connectionString: string): AsyncGenerator<StoredThing> {
  const service = TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true });
  for await (const { name = '' } of service.listTables()) {
    const table = TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
    for await (const entity of table.listEntities()) {
      const text = JSON.stringify(entity) + rememberedAnswer(entity);
      yield { place: `table ${name} ${entity.partitionKey}/${entity.rowKey}`, text };
    }
  }
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  for await (const { name } of queues.listQueues()) {
    const { peekedMessageItems } = await queues.getQueueClient(name).peekMessages({ numberOfMessages: 32 });
    for (const { messageText } of peekedMessageItems) {
      yield { place: `queue ${name}`, text: Buffer.from(messageText, 'base64').toString() + messageText };
    }
  }
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  for await (const { name: container } of blobs.listContainers()) {
    const client = blobs.getContainerClient(container);
    for await (const { name } of client.listBlobsFlat()) {
      const text = (await client.getBlobClient(name).downloadToBuffer()).toString();
      yield { place: `blob ${container}/${name}`, text: `${name}\n${text}` };
    }
  }
}

/** How many messages the queues hold, hidden ones included. */
export async function countMessages(connectionString: string): Promise<number> {
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  let total = 0;
  for await (const { name } of queues.listQueues()) {
    total += (await queues.getQueueClient(name).getProperties()).approximateMessagesCount ?? 0;
  }
  return total;
}

/** An answer that is stored for its `Idempotency-Key`, which is compressed. */
function rememberedAnswer(entity: Record<string, unknown>): string {
  const chunks = Array.from({ length: Number(entity.chunks ?? 0) }, (_, i) => entity[`answer${i}`] as Uint8Array);
  return chunks.length > 0 ? inflateRawSync(Buffer.concat(chunks)).toString() : '';
}
