import type { AlertSettings, AlertSettingsStore } from '../../shared/alerts/alert-settings.ts';

/** Alert settings in memory. */
export function inMemoryAlertSettings(): AlertSettingsStore {
  const kept = new Map<string, AlertSettings>();
  return {
    async get(customerId) {
      return structuredClone(kept.get(customerId));
    },
    async put(settings) {
      kept.set(settings.customerId, structuredClone(settings));
    },
  };
}
