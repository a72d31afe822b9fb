import { containers, poisonQueues, queues } from '../shared/kernel/storage-names.ts';
import { LOCKS_CONTAINER } from './functions-host/singleton-lock-blob.ts';
import type { RequestCount } from './request-count.ts';

const ACCESS_LINE = /"([A-Z]+) \/devstoreaccount1\/?([^ ?"]*)\S* HTTP\/1\.[01]" (\d{3}|-)/;

/** The path of a request that the stack itself makes. Once it is logged, all requests before it are logged too. */
export const MARK = 'muster-access-log-mark';

const services = new Map<string, string>([
  ...[...Object.values(queues), ...Object.values(poisonQueues)].map((name) => [name, 'queue'] as const),
  ...[...Object.values(containers), LOCKS_CONTAINER].map((name) => [name, 'blob'] as const),
]);

export interface AccessLog {
  /** Counts the request in this line. Returns whether it was a line of the access log. */
  read(line: string): boolean;
  /** Resolves once the request with this mark has been logged, or after one second. */
  whenLogged(mark: string): Promise<void>;
  counts(): RequestCount[];
  reset(): void;
}

/** Counts requests from Azurite's access log, so that no proxy is needed between the app and its storage. */
export function createAccessLog(): AccessLog {
  const counts = new Map<string, RequestCount>();
  const awaited = new Map<string, () => void>();
  return {
    counts: () => [...counts.values()],
    reset: () => counts.clear(),
    whenLogged(mark) {
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, 1_000);
        awaited.set(mark, () => {
          clearTimeout(timer);
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
      const { service, route } = describePath(path);
      const key = `${service} ${method} ${route} ${status}`;
      const known = counts.get(key);
      // The status is "-" if the client disconnected before the answer.
      if (known) known.count += 1;
      else counts.set(key, { service, method, route, status: Number(status) || 0, count: 1 });
      return true;
    },
  };
}

/** The service of a path and its route without ids and keys: `check-mailbox/messages/{id}`, `mailboxes(…)`. */
export function describePath(path: string): { service: string; route: string } {
  const [first = '', ...rest] = path.split('/').map(decode);
  // The only request about the account itself lists its queues.
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
