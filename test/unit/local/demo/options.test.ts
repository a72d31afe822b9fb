import { expect, it } from 'vitest';
import { DEMO_HELP, readDemoOptions } from '../../../../local/demo/options.ts';
import { StartError } from '../../../../local/start-error.ts';

it('explains every option of the demo, when asked and when one is unknown', () => {
  expect(readDemoOptions(['--help']).help).toBe(true);
  const explained = [...DEMO_HELP.matchAll(/^ {2}--(\w+)/gm)].map(([, name]) => name);
  expect(explained.toSorted()).toEqual(['csv', 'help', 'mailboxes', 'picture', 'scenario']);
  const read = () => readDemoOptions(['--mailbox', '3']);
  expect(read).toThrow(StartError);
  expect(read).toThrow(DEMO_HELP);
});

it('takes a number of mailboxes, and 60 without one', () => {
  expect(readDemoOptions([])).toMatchObject({ mailboxes: 60, help: false });
  expect(readDemoOptions(['--mailboxes', '5000'])).toMatchObject({ mailboxes: 5000 });
  expect(() => readDemoOptions(['--mailboxes', '0'])).toThrow('from 1 to');
});
