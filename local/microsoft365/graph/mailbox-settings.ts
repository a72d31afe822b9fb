import { outlookAnswer } from './answers.ts';
import type { MailOperation } from './mailbox-call.ts';
import { folderId } from './message-wire.ts';
import { metadata, selected } from './odata.ts';

const needs = ['MailboxSettings.Read', 'MailboxSettings.ReadWrite'] as const;

export const getMailboxSettings: MailOperation = {
  kind: 'settings',
  needs,
  body: 'none',
  run(call) {
    const refused = call.refusedByStore();
    if (refused) return refused;
    const settings = {
      archiveFolder: folderId(call.entry, 'archive'),
      timeZone: 'UTC',
      delegateMeetingMessageDeliveryOptions: 'sendToDelegateOnly',
      dateFormat: 'yyyy-MM-dd',
      timeFormat: 'HH:mm',
      userPurpose: purposeOf(call.entry.kind),
      automaticRepliesSetting: {
        status: 'disabled',
        externalAudience: 'none',
        internalReplyMessage: '',
        externalReplyMessage: '',
      },
      language: { locale: 'en-US', displayName: 'English (United States)' },
      workingHours: {
        daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
        startTime: '08:00:00.0000000',
        endTime: '17:00:00.0000000',
        timeZone: { name: 'UTC' },
      },
    };
    return outlookAnswer(200, {
      '@odata.context': `${metadata}#users('${call.user}')/mailboxSettings`,
      ...selected(settings, call.call.query),
    });
  },
};

export const getUserPurpose: MailOperation = {
  kind: 'settings',
  needs,
  body: 'none',
  run(call) {
    const refused = call.refusedByStore();
    if (refused) return refused;
    return outlookAnswer(200, {
      '@odata.context': `${metadata}#users('${call.user}')/mailboxSettings/userPurpose`,
      value: purposeOf(call.entry.kind),
    });
  },
};

const purposeOf = (kind: string): string => (kind === 'disabled' ? 'user' : kind);
