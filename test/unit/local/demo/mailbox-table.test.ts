import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { mailboxSummary, mailboxTable } from '../../../../local/demo/mailbox-table.ts';
import type { ShownCheck, ShownMailbox } from '../../../../local/demo/shown-mailbox.ts';
import { TERMINAL_WIDTH } from '../../../../local/demo/terminal-text.ts';

const passed: ShownCheck = { verdict: 'passed' };
const refused = (cause: string, verdict = 'failed', fix = 'Fix it.'): ShownCheck => ({ verdict, cause, fix });

function mailbox(name: string, send: ShownCheck, more: Partial<ShownMailbox> = {}): ShownMailbox {
  const status = send.verdict === 'passed' ? 'active' : send.verdict;
  const checks = { 'graph.readWrite': passed, 'graph.send': send };
  return { address: `${name}@acme.example`, kind: 'user', status, checks, ...more };
}

const table = (...mailboxes: ShownMailbox[]) => mailboxTable(mailboxes).map(stripVTControlCharacters);

it('lists failed mailboxes first, then inconclusive ones, then passed ones of a special kind', () => {
  const rows = table(
    mailbox('room', passed, { kind: 'room' }),
    mailbox('busy', refused('throttled', 'inconclusive')),
    mailbox('gone', refused('mailbox_not_found')),
    mailbox('jane', passed),
  );
  expect(rows.map((row) => row.trim().split(/[\s@]/)[0])).toEqual(['MAILBOX', 'gone', 'busy', 'room']);
  expect(rows[1]).toMatch(/✓ +✗ +mailbox_not_found\n +Fix it\.$/);
  expect(rows[2]).toMatch(/✓ +\? +throttled/);
  expect(rows[3]).toMatch(/✓ +✓ +room mailbox$/);
});

it('shows the fix of a cause once', () => {
  const rows = table(mailbox('b', refused('address_is_group')), mailbox('a', refused('address_is_group')));
  expect(rows.slice(1).map((row) => row.includes('Fix it.'))).toEqual([true, false]);
});

it('fits the terminal: cuts a long fix after two lines', () => {
  const fix = Array.from({ length: 40 }, (_, i) => `word${i}`).join(' ');
  const [, row = ''] = table(mailbox('a', refused('unknown_refusal', 'failed', fix)));
  const lines = row.split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatch(/ …$/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(TERMINAL_WIDTH);
});

it('cuts a long table and says how many rows are missing', () => {
  const rows = table(...Array.from({ length: 45 }, (_, i) => mailbox(`m${i}`, refused('mailbox_full'))));
  expect(rows).toHaveLength(42);
  expect(rows.at(-1)).toBe('  … and 5 more');
});

it('counts the ordinary mailboxes that passed', () => {
  const summary = stripVTControlCharacters(
    mailboxSummary([mailbox('a', passed), mailbox('b', refused('mailbox_full'))]),
  );
  expect(summary).toContain('✓ passed   ✗ failed   ? inconclusive');
  expect(summary).toContain('1 more mailbox passed both checks');
});
