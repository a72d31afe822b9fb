import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addVerdict, HISTORY_MAX, type VerdictChange } from '../../../shared/mailboxes/verdict-history.ts';

const verdict = fc.record(
  {
    verdict: fc.constantFrom('passed', 'failed', 'inconclusive'),
    cause: fc.constantFrom('mailbox_not_found', 'throttled'),
  },
  { requiredKeys: ['verdict'] },
);

it('keeps the last twenty changes, newest first, and no verdict twice in a row', () => {
  fc.assert(
    fc.property(fc.array(verdict, { maxLength: 60 }), (verdicts) => {
      let history: readonly VerdictChange[] | undefined;
      const changes: VerdictChange[] = [];
      for (const [i, one] of verdicts.entries()) {
        const change = { changedAt: new Date(i), ...one } as VerdictChange;
        history = addVerdict(history, change);
        const last = changes.at(-1);
        if (last?.verdict !== change.verdict || last.cause !== change.cause) changes.push(change);
      }
      expect(history ?? []).toEqual(changes.reverse().slice(0, HISTORY_MAX));
    }),
  );
});
