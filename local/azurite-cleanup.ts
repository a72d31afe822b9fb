import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The part of Azurite's list of extents that is used here. With its data in memory, each queue message is an extent. */
interface ExtentStore {
  readonly EXTENTS_COLLECTION: string;
  readonly db: { getCollection(name: string): Extents };
  deleteExtent(id: string): Promise<void>;
}

interface Extents {
  findOne(query: { id: string }): object | null;
  remove(extent: object): void;
}

const DELETED_IN_A_ROW_MAX = 100;

/**
 * Makes Azurite delete old extents without stopping for it.
 *
 * Once a minute it deletes the extents of all messages that are gone. `findAndRemove` sorts the index of all extents for
 * each of them: 3,000 messages take 9 seconds and 6,000 take 40, in which Azurite answers nothing. `remove` updates the
 * index instead. Every hundredth deletion lets requests in between.
 */
export function keepAnsweringDuringCleanup(): void {
  const require = createRequire(import.meta.url);
  const module: {
    default: { prototype: ExtentStore };
  } = require('azurite/dist/src/common/persistence/LokiExtentMetadataStore.js');
  let deleted = 0;
  module.default.prototype.deleteExtent = async function deleteExtent(this: ExtentStore, id) {
    const extents = this.db.getCollection(this.EXTENTS_COLLECTION);
    const extent = extents.findOne({ id });
    if (extent) extents.remove(extent);
    if (++deleted % DELETED_IN_A_ROW_MAX === 0) await nextTurn();
  };
}
