import { type Import, isEnded } from '../../shared/imports/import.ts';

const RETRY_AFTER_SECONDS = 2;

/** Tells a client when it is worth asking again how far an import or an action is, as long as it runs. */
export function askAgainHeaders({ status }: Pick<Import, 'status'>): Record<string, string> {
  return isEnded(status) ? {} : { 'retry-after': String(RETRY_AFTER_SECONDS) };
}
