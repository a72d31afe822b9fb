import type { RequestCount } from '../request-count.ts';

/**
 * The requests that an import made for each mailbox, as the local storage, vault and Microsoft 365 counted them.
 *
 * Tokens and secrets are cached, so their requests are given for the whole run: `before` holds the requests that
 * registering and testing the connection made.
 */
export function requestSummary(
  duringImport: readonly RequestCount[],
  before: readonly RequestCount[],
  mailboxes: number,
): string {
  const sum = (items: readonly RequestCount[], matches: (item: RequestCount) => boolean) =>
    items.filter(matches).reduce((total, item) => total + item.count, 0);
  const perMailbox = (label: string, matches: (item: RequestCount) => boolean) =>
    `${label} ${(sum(duringImport, matches) / mailboxes).toFixed(3)}`;
  const inTotal = (label: string, matches: (item: RequestCount) => boolean) =>
    `${label} ${sum([...before, ...duringImport], matches)}`;
  const onCheckQueue = (method: string) => (item: RequestCount) =>
    item.service === 'queue' && item.method === method && item.route.startsWith('check-mailbox/messages');
  return [
    `Requests per mailbox: ${[
      perMailbox('queue put', onCheckQueue('POST')),
      perMailbox('get', onCheckQueue('GET')),
      perMailbox('delete', onCheckQueue('DELETE')),
      perMailbox('table transactions', ({ service, route }) => service === 'table' && route === '$batch'),
      perMailbox('Graph', ({ service }) => service === 'graph'),
    ].join(' · ')}`,
    `Requests in total: ${[
      inTotal('tokens', ({ service, route }) => service === 'entra' && route.endsWith('/token')),
      inTotal('vault reads', ({ service, method }) => service === 'vault' && method === 'GET'),
    ].join(' · ')}`,
  ].join('\n');
}
