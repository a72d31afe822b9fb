import type { RowFindingCode, RowFindingResult } from '../upload/row-findings.ts';

/** What a summary says about all rows with the same finding. The row itself says more, such as the line it repeats. */
interface FindingText {
  result: RowFindingResult;
  sentence: string;
  fix: string;
}

export const findingTexts: Readonly<Record<RowFindingCode, FindingText>> = {
  address_missing: {
    result: 'rejected',
    sentence: 'The row has no e-mail address.',
    fix: 'Fill in the address, or remove the row.',
  },
  address_malformed: {
    result: 'rejected',
    sentence: 'The address is not a valid e-mail address.',
    fix: 'Correct it to an address such as jane@contoso.com.',
  },
  address_too_long: {
    result: 'rejected',
    sentence: 'The address is longer than an e-mail address can be.',
    fix: 'Use at most 64 characters before the @, and 320 in total.',
  },
  consumer_domain: {
    result: 'rejected',
    sentence: 'The address is of a personal mailbox. Only mailboxes of an organization can be connected.',
    fix: 'Use the person’s address at work, or remove the row.',
  },
  foreign_domain: {
    result: 'rejected',
    sentence: 'The domain of the address is not a verified domain of this tenant.',
    fix: 'Correct the address, or import it with the connection of the tenant that has the domain. If the domain was added to the tenant recently, run the connection test and send the rows again.',
  },
  domain_misspelled: {
    result: 'accepted',
    sentence: 'The domain of the address looks misspelled. The mailbox is checked anyway.',
    fix: 'Compare the address with the suggestion. If it is right, you do not need to change anything.',
  },
  name_too_long: {
    result: 'rejected',
    sentence: 'The name is too long.',
    fix: 'Shorten it. The report says for each row how long it may be.',
  },
  reference_too_long: {
    result: 'rejected',
    sentence: 'The reference is too long.',
    fix: 'Shorten it to at most 200 characters.',
  },
  daily_limit_invalid: {
    result: 'rejected',
    sentence: 'The daily limit is not a whole number from 1 to 10,000.',
    fix: 'Correct it, or leave it empty.',
  },
  row_malformed: {
    result: 'rejected',
    sentence: 'The row cannot be read: it has too many or too few columns, or a quotation mark in the wrong place.',
    fix: 'Compare the row with the header, and check its quotation marks.',
  },
  row_too_long: {
    result: 'rejected',
    sentence: 'The row is longer than any row of mailboxes can be.',
    fix: 'Look for a missing quotation mark or line break in it.',
  },
  duplicate_in_file: {
    result: 'duplicate',
    sentence: 'The address is on an earlier line of the file too. Only the first line counts.',
    fix: 'You do not need to do anything. If the lines differ, keep the one that is right.',
  },
  duplicate_in_connection: {
    result: 'duplicate',
    sentence: 'The mailbox is already connected or being checked.',
    fix: 'You do not need to do anything.',
  },
};
