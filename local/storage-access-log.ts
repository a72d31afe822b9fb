import { containers, poisonQueues, queues } from '../shared/kernel/storage-names.ts';
import type { RequestCount } from './request-count.ts';

const ACCESS_LINE = /"([A-Z]+) \/devstoreaccount1\/?([^ ?"]*)\S* HTTP\/1\.[01]" (\d{3}|-)/;

/** A request that we make ourselves to learn that all before it have been logged. */
export const MARK = 'muster-access-log-mark';

const services = new Map<string, string>([
  ...[...Object.values(queues), ...Object.values(poisonQueues)].map((name) => [name, 'queue'] as const),
  ...Object.values(containers).map((name) => [name, 'blob'] as const),
]);

export interface AccessLog {
  /** Whether it was a line of the access log. */
  read(line: string): boolean;
  /** Resolves when the request of that mark has been logged, or after a second. */
  seen(mark: string): Promise<void>;
  counts(): RequestCount[];
  reset(): void;
}

/** Counts requests by what Azurite's own access log says, so that nothing stands between the app and its storage. */
export function createAccessLog(): AccessLog {
  const counts = new Map<string, RequestCount>();
  const awaited = new Map<string, () => void>();
  return {
    counts: () => [...counts.values()],
    reset: () => counts.clear(),
    seen(mark) {
      return new Promise((resolve) => {
        const patience = setTimeout(resolve, 1_000);
        awaited.set(mark, () => {
          clearTimeout(patience);
          resolve();
        });
      });
    },
    read(line) {
      const found = ACCESS_LINE.exec(line);
      if (!found) return false;
      const [, method = '', path = '', status = ''] = found;
      if (path.startsWith(MARK)) {
        awaited.get(path)?.();
        awaited.delete(path);
        return true;
      }
      const { service, route } = rowLocationOf(path);
      const key = `${service} ${method} ${route} ${status}`;
      const known = counts.get(key);
      // A status of "-" is a request whose caller was gone before the answer.
      if (known) known.count += 1;
      else counts.set(key, { service, method, route, status: Number(status) || 0, count: 1 });
      return true;
    },
  };
}

/** Ids and keys are cut off: `check-mailbox/messages/{id}`, `mailboxes(…)`, `uploads/{name}`. */
export function rowLocationOf(path: string): { service: string; route: string } {
  const [first = '', ...rest] = path.split('/').map(decode);
  // Of the account itself only the queues' listing is asked for.
  const service = services.get(first) ?? (first === '' ? 'queue' : 'table');
  if (service === 'queue') return { service, route: rest.length > 1 ? `${first}/messages/{id}` : path };
  if (service === 'blob') return { service, route: rest.length > 0 ? `${first}/{name}` : first };
  return { service, route: first.replace(/\(.+\)$/, '(…)') };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
