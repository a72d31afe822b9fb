import type { Log } from '../../kernel/log.ts';
import { signal } from '../../kernel/signals.ts';
import type { SettledMailbox } from './settled-mailbox.ts';

/** Tells that these mailboxes of an import have got their verdicts: one line for each verdict and cause. */
export type TellChecked = (importId: string, settled: readonly SettledMailbox[]) => void;

/** A cancelled row has no verdict and is not told. */
export function createTellChecked(log: Log): TellChecked {
  return (importId, settled) => {
    const checked = settled.filter(({ state }) => state !== 'cancelled');
    for (const alike of Map.groupBy(checked, ({ state, cause }) => `${state} ${cause}`).values()) {
      const [{ state: verdict, cause } = { state: '' }] = alike;
      signal(log, 'mailboxes_checked', { importId, verdict, ...(cause && { cause }), mailboxes: alike.length });
    }
  };
}
