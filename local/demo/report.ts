import type { RequestCount } from '../request-count.ts';

export interface ShownCheck {
  verdict: string;
  cause?: string;
  detail?: string;
  fix?: string;
}

export interface ShownMailbox {
  address: string;
  kind: string;
  status: string;
  checks: Partial<Record<string, ShownCheck>>;
}

const MARKS: Record<string, string> = { passed: 'yes', failed: 'no', inconclusive: '?', skipped: '-' };
const CAUSES_LISTED_MOST = 40;

/** One line for each mailbox that is worth one; plain passes are counted, many of one cause are cut short. */
export function mailboxTable(mailboxes: readonly ShownMailbox[]): string {
  const passed = mailboxes.filter(({ status, kind }) => status === 'active' && (kind === 'user' || kind === 'unknown'));
  const told = mailboxes.filter((mailbox) => !passed.includes(mailbox));
  const width = Math.max(10, ...told.map(({ address }) => address.length));
  const line = (address: string, write: string, send: string, cause: string) =>
    `  ${address.padEnd(width)}  ${write.padEnd(5)}  ${send.padEnd(4)}  ${cause}`;
  const rows = told
    .slice(0, CAUSES_LISTED_MOST)
    .map(({ address, kind, checks }) =>
      line(address, mark(checks['graph.readWrite']), mark(checks['graph.send']), causeOf(checks) ?? `(${kind})`),
    );
  return [
    line('mailbox', 'write', 'send', 'cause'),
    ...rows,
    ...(told.length > CAUSES_LISTED_MOST ? [`  … and ${told.length - CAUSES_LISTED_MOST} more`] : []),
    `  ${passed.length} more user mailboxes pass both.`,
  ].join('\n');
}

/** What each cause that occurred means, in how many mailboxes it occurred, and what mends it. */
export function cures(mailboxes: readonly ShownMailbox[]): string {
  const seen = new Map<string, ShownCheck & { count: number }>();
  for (const { checks } of mailboxes) {
    const check = Object.values(checks).find((one) => one?.cause !== undefined);
    if (check?.cause) seen.set(check.cause, { ...check, count: (seen.get(check.cause)?.count ?? 0) + 1 });
  }
  return [...seen.entries()]
    .map(([cause, { detail = '', fix = '', count }]) => {
      const heading = `  ${cause} (${count} ${count === 1 ? 'mailbox' : 'mailboxes'})`;
      return `${heading}\n${wrap(detail, '    ')}\n${wrap(`→ ${fix}`, '    ')}`;
    })
    .join('\n');
}

function mark(check: ShownCheck | undefined): string {
  return check ? (MARKS[check.verdict] ?? check.verdict) : '';
}

export function causeOf(checks: ShownMailbox['checks']): string | undefined {
  return Object.values(checks).find((check) => check?.cause !== undefined)?.cause;
}

/** Breaks a text into lines that fit a terminal. */
export function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line.length + word.length > 96) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((part) => `${indent}${part}`).join('\n');
}

/**
 * Requests of an import per mailbox, as the stand-ins counted them. Tokens and secrets are kept between uses, so those
 * are told for the whole run: `before` is what the connection's registration and test had cost.
 */
export function requestLine(
  items: readonly RequestCount[],
  before: readonly RequestCount[],
  mailboxes: number,
): string {
  const count = (matches: (item: RequestCount) => boolean, among = items) =>
    among.filter(matches).reduce((sum, item) => sum + item.count, 0);
  const all = [...before, ...items];
  const each = (label: string, total: number) => `${label} ${(total / mailboxes).toFixed(3)}`;
  const onChecks = (method: string, route: string) => (item: RequestCount) =>
    item.service === 'queue' && item.method === method && item.route.startsWith(route);
  return [
    each('queue put', count(onChecks('POST', 'check-mailbox/messages'))),
    each('get', count(onChecks('GET', 'check-mailbox/messages'))),
    each('delete', count(onChecks('DELETE', 'check-mailbox/messages'))),
    each(
      'table transactions',
      count((item) => item.service === 'table' && item.route === '$batch'),
    ),
    each(
      'Graph requests',
      count((item) => item.service === 'graph'),
    ),
    `in all: token requests ${count((item) => item.service === 'entra' && item.route.endsWith('/token'), all)}`,
    `vault reads ${count((item) => item.service === 'vault' && item.method === 'GET', all)}`,
  ].join(' · ');
}
