import type { Clock } from '../../kernel/clock.ts';
import type { ConsentStore } from './consent-store.ts';

export interface RemoveOldLinksDeps {
  consents: Pick<ConsentStore, 'removeExpired'>;
  clock: Clock;
}

/** For a week, the page of an expired link says that it has expired. After that, it says that the link is not known. */
const EXPIRED_KEPT_MS = 7 * 86_400_000;

/** Removes consent links that have expired long ago, used or not. For a timer. Repeatable. */
export async function removeOldLinks({ consents, clock }: RemoveOldLinksDeps): Promise<void> {
  await consents.removeExpired(new Date(clock.now().getTime() - EXPIRED_KEPT_MS));
}
