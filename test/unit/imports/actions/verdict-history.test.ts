import { expect, it } from 'vitest';
import { changeMailbox } from '../../../../shared/imports/one-mailbox/change-mailbox.ts';
import { addVerdict, HISTORY_MAX, type VerdictChange } from '../../../../shared/mailboxes/verdict-history.ts';
import { noFaults } from '../../../support/import-world/faults.ts';
import { createRandom } from '../../../support/import-world/random.ts';
import { createWorld } from '../../../support/import-world/world.ts';

const addresses = ['jane@contoso.example', 'kim@contoso.example', 'lee@contoso.example'];
const CHECKS = 50;

it('a history has the last twenty changes, in their order, whatever else is done with the mailbox', async () => {
  const random = createRandom(7);
  const verdicts = ['passed', 'failed', 'inconclusive'] as const;
  const world = await createWorld(
    7,
    { ...noFaults, redelivered: 0.3, lostAnswers: 0.05 },
    { verdictOf: () => verdicts[Math.floor(random() * 3)] ?? 'passed', failsAs: 'mailbox_not_found' },
  );
  const { ledger } = world;
  const ids: string[] = [];
  const untilEnded = async (id: string) => {
    ids.push(id);
    await world.until(() => world.ended.includes(id), 24 * 3_600);
  };
  await untilEnded((await world.startImport(addresses)).id);
  for (let n = 0; n < CHECKS; n++) {
    // A customer changes the mailbox while it is checked, and other actions meet the check.
    for (const address of addresses) {
      world.after(random() * 5, () =>
        changeMailbox({ ledger }, 'conn_1', address, async () => ({ dailyLimit: n + 1 })).catch(() => undefined),
      );
    }
    world.after(random() * 5, () => world.startAction(n % 2 ? 'pause' : 'resume', addresses));
    world.after(random() * 3, async () => {
      const [process] = world.processes;
      if (process && n % 7 === 3) world.kill(process);
    });
    await untilEnded((await world.startAction('check', addresses)).id);
  }
  await world.run();

  for (const address of addresses) {
    let expected: readonly VerdictChange[] | undefined;
    let changes = 0;
    for (const id of ids) {
      const rows = await ledger.findRows('conn_1', id, { fromLine: 0, limit: 10 });
      const row = rows.find(({ value }) => value.address === address)?.value;
      const { state, cause, checkedAt: changedAt, statusBefore } = row ?? {};
      if (!changedAt || !(state === 'passed' || state === 'failed' || state === 'inconclusive')) continue;
      // A mailbox in use keeps what it has if a check finds nothing out.
      if (state === 'inconclusive' && (statusBefore === 'active' || statusBefore === 'inconclusive')) continue;
      const next = addVerdict(expected, { changedAt, verdict: state, ...(cause && { cause }) });
      if (next !== expected) changes++;
      expected = next;
    }
    const mailbox = (await ledger.getMailbox('conn_1', address))?.value;
    expect(changes, address).toBeGreaterThan(HISTORY_MAX);
    expect(mailbox?.history).toEqual(expected);
    expect(mailbox?.history?.length ?? 0).toBeLessThanOrEqual(HISTORY_MAX);
    expect(mailbox?.dailyLimit).toBeGreaterThan(CHECKS - 5);
  }
});
