import { expect, it } from 'vitest';
import { explainMailboxWait } from '../../../../shared/imports/progress/mailbox-wait.ts';
import { aMailbox } from '../../../support/records.ts';

const now = new Date('2026-06-01T00:00:00Z');
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const running = { status: 'running' } as const;
const waiting = aMailbox({ status: 'waiting', openRow: 'imp_1:2', nextCheckAt: inSeconds(30) });
const explain = (mailbox: Partial<typeof waiting>, within: Parameters<typeof explainMailboxWait>[1] = running) =>
  explainMailboxWait({ ...waiting, ...mailbox }, within, now);

it('names what Microsoft has said, and the later of the times of the mailbox and of its import', () => {
  expect(explain({ waitCause: 'throttled' })).toMatchObject({ reason: 'throttled', until: inSeconds(30) });
  const throttled = { ...running, waitingFor: { cause: 'throttled', until: inSeconds(90) } } as const;
  expect(explain({ waitCause: 'throttled' }, throttled)?.until).toEqual(inSeconds(90));
  // Grants propagate for each mailbox, whatever the tenant takes.
  expect(explain({ waitCause: 'propagating' }, throttled)?.until).toEqual(inSeconds(30));
  expect(explain({ waitCause: 'microsoft_unavailable', nextCheckAt: inSeconds(-5) })).not.toHaveProperty('until');
});

it('tells a mailbox that is not asked because its import waits or is paused', () => {
  const pending = { status: 'pending', nextCheckAt: undefined } as never;
  expect(explain(pending)).toBeUndefined();
  const down = { ...running, waitingFor: { cause: 'microsoft_unavailable' } } as const;
  expect(explain(pending, down)).toMatchObject({ reason: 'microsoft_unavailable' });
  const finding = { code: 'secret_expired', detail: 'The client secret has expired.', seenAt: now };
  expect(explain(pending, { status: 'paused', finding })).toMatchObject({
    reason: 'import_paused',
    message: expect.stringContaining('The client secret has expired.'),
  });
});

it('tells a refusal that is not decided from a service of ours that does not answer, and says nothing without a check', () => {
  expect(explain({ nextCheckAt: undefined } as never)?.reason).toBe('undecided');
  expect(explain({})?.reason).toBe('service_unavailable');
  expect(explain({ openRow: undefined } as never)).toBeUndefined();
});
