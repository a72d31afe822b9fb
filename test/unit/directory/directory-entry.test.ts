import { expect, it } from 'vitest';
import { entryOf, judged } from '../../../shared/directory/directory-entry.ts';

const user = { id: 'u1', primaryAddress: 'Jane@Contoso.com', isGuest: false, isEnabled: true, isLicensed: true };
const AT = new Date('2026-06-01T00:00:00Z');

it('knows from the directory alone that an enabled account with a licence has a mailbox', () => {
  expect(entryOf({ ...user, displayName: 'Jane\nDoe ' }, 'r')).toEqual({
    id: 'u1',
    address: 'jane@contoso.com',
    displayName: 'Jane Doe',
    kind: 'user',
    isEligible: true,
    judgement: 'done',
    round: 'r',
  });
});

it.each([{ isLicensed: false }, { isEnabled: false }, { isLicensed: false, isEnabled: false }])(
  'leaves %o to the mailbox, and keeps it eligible until then: it may be shared',
  (more) => {
    expect(entryOf({ ...user, ...more }, 'r')).toMatchObject({ kind: 'unknown', isEligible: true, judgement: 'due' });
  },
);

it('tells why a user cannot be imported', () => {
  expect(entryOf({ ...user, isGuest: true, primaryAddress: 'x@outlook.com' }, 'r')).toMatchObject({
    isEligible: false,
    reason: 'address_is_guest',
    judgement: 'done',
  });
  expect(entryOf({ ...user, primaryAddress: 'jane@contoso.local.' }, 'r')).toMatchObject({ isEligible: true });
  expect(entryOf({ ...user, primaryAddress: 'jane@localhost' }, 'r')).toMatchObject({
    isEligible: false,
    reason: 'address_malformed',
  });
  const { primaryAddress: _address, ...withoutAddress } = user;
  expect(entryOf(withoutAddress, 'r')).toBeUndefined();
});

it('takes over what the mailbox has answered', () => {
  const due = entryOf({ ...user, isLicensed: false }, 'r');
  if (!due) throw new Error('no entry');
  expect(judged(due, { kind: 'room' }, AT)).toMatchObject({ kind: 'room', isEligible: true, judgement: 'done' });
  const refused = judged(due, { reason: 'mailbox_unlicensed_or_on_premises' }, AT);
  expect(refused).toMatchObject({ isEligible: false, judgement: 'refused', judgedAt: AT });
  expect(judged(refused, 'undecided', AT)).toMatchObject({ kind: 'unknown', isEligible: true });
  expect(judged(refused, 'undecided', AT)).not.toHaveProperty('reason');
});
