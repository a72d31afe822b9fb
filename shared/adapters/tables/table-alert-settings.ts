import type { TableClient } from '@azure/data-tables';
import type { AlertSettings, AlertSettingsStore } from '../../alerts/alert-settings.ts';
import { translateStorageErrors } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { readEntity } from './read-entities.ts';

const columns: Columns<AlertSettings> = {
  customerId: 'text',
  daysBefore: 'json',
  lifetimeLeft: 'json',
  contacts: 'json',
  sendFrom: 'json',
};

const ROW = 'alerts';

/** One row in the partition of the customer, beside its webhooks. It is purged with them. */
export function tableAlertSettings(table: TableClient): AlertSettingsStore {
  return {
    get: async (customerId) => (await readEntity(table, columns, customerId, ROW))?.value,
    async put(settings) {
      const entity = { partitionKey: settings.customerId, rowKey: ROW, ...toProperties(columns, settings) };
      await translateStorageErrors(table.upsertEntity(entity, 'Replace'));
    },
  };
}
