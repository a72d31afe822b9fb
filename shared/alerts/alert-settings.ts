import type { Thresholds } from './decide-notice.ts';

/** How one customer is told about expiring client secrets and certificates. */
export interface AlertSettings extends Thresholds {
  customerId: string;
  daysBefore: number[];
  lifetimeLeft: number[];
  /** Who gets an e-mail. */
  contacts: string[];
  /** The customer's own mailbox that e-mails are sent from. Without it, the deployment's mail server sends them. */
  sendFrom?: { connectionId: string; address: string };
}

/** Stores alert settings. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface AlertSettingsStore {
  get(customerId: string): Promise<AlertSettings | undefined>;
  /** Writes or replaces them. They are removed with the customer's webhooks. */
  put(settings: AlertSettings): Promise<void>;
}

const DEFAULT_DAYS = [60, 30, 14, 7, 1];
const DEFAULT_LIFETIME_LEFT = [20];

/** The settings of a customer, or the defaults: nobody gets an e-mail. */
export async function readAlertSettings(
  deps: { alertSettings: Pick<AlertSettingsStore, 'get'> },
  customerId: string,
): Promise<AlertSettings> {
  const found = await deps.alertSettings.get(customerId);
  return found ?? { customerId, daysBefore: DEFAULT_DAYS, lifetimeLeft: DEFAULT_LIFETIME_LEFT, contacts: [] };
}
