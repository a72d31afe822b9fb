import type { KeptUpload, KeptUploadStore } from '../../shared/imports/upload/kept-upload.ts';

/** Kept uploads in memory. */
export function inMemoryKeptUploads(): KeptUploadStore {
  const stored = new Map<string, KeptUpload>();
  const own = (customerId: string, importId: string) => {
    const found = stored.get(importId);
    return found?.customerId === customerId ? structuredClone(found) : undefined;
  };
  return {
    get: async (customerId, importId) => own(customerId, importId),
    async put(kept) {
      stored.set(kept.importId, structuredClone(kept));
    },
    async remove(customerId, importId) {
      if (own(customerId, importId)) stored.delete(importId);
    },
    async count(customerId, now, max) {
      const current = [...stored.values()].filter((kept) => kept.customerId === customerId && kept.expiresAt > now);
      return Math.min(max, current.length);
    },
  };
}
