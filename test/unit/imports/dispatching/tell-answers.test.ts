import { expect, it } from 'vitest';
import { createAnswerCount } from '../../../../shared/imports/dispatching/tell-answers.ts';
import { anImport } from '../../../support/records.ts';
import { faultsOfLine } from '../../../support/signal-lines.ts';

it('tells about once a minute how a tenant answered, and at the end what is left', () => {
  let now = 0;
  const lines: Record<string, unknown>[] = [];
  const clock = { now: () => new Date(now) };
  const log = (level: string, event: string, fields: object = {}) => void lines.push({ level, event, ...fields });
  const count = createAnswerCount({ clock, log }, anImport({ id: 'imp_1' }), 'global t c');
  count.add({ accepted: 5, throttled: 0, unanswered: 0 });
  now = 59_999;
  count.add({ accepted: 5, throttled: 2, unanswered: 0 });
  expect(lines).toEqual([]);
  now = 60_000;
  count.add({ accepted: 0, throttled: 1, unanswered: 1 });
  expect(lines).toMatchObject([{ event: 'tenant_answered', tenant: 'global t c', accepted: 10, throttled: 3 }]);
  count.tell();
  count.add({ accepted: 1, throttled: 0, unanswered: 0 });
  count.tell();
  expect(lines).toMatchObject([{}, { importId: 'imp_1', accepted: 1, throttled: 0, unanswered: 0 }]);
  expect(lines.flatMap(faultsOfLine)).toEqual([]);
});
