import type { Entry } from '../directory.ts';
import type { MailOperation } from './mailbox-call.ts';
import { folderId } from './message-wire.ts';
import { applySelect, metadataUrl } from './odata.ts';
import { outlookResponse } from './responses.ts';

function settingsOperation(
  path: string,
  present: (entry: Entry, query: URLSearchParams) => Record<string, unknown>,
): MailOperation {
  return {
    kind: 'settings',
    permissions: ['MailboxSettings.Read', 'MailboxSettings.ReadWrite'],
    body: 'none',
    run: ({ refusedByStore, user, entry, call }) =>
      refusedByStore() ??
      outlookResponse(200, {
        '@odata.context': `${metadataUrl}#users('${user}')/${path}`,
        ...present(entry, call.query),
      }),
  };
}

export const getMailboxSettings = settingsOperation('mailboxSettings', (entry, query) =>
  applySelect(presentSettings(entry), query),
);

export const getUserPurpose = settingsOperation('mailboxSettings/userPurpose', ({ kind }) => ({
  value: userPurposeOf(kind),
}));

function presentSettings(entry: Entry): Record<string, unknown> {
  return {
    archiveFolder: folderId(entry, 'archive'),
    timeZone: 'UTC',
    delegateMeetingMessageDeliveryOptions: 'sendToDelegateOnly',
    dateFormat: 'yyyy-MM-dd',
    timeFormat: 'HH:mm',
    userPurpose: userPurposeOf(entry.kind),
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
}

const userPurposeOf = (kind: Entry['kind']): string => (kind === 'disabled' ? 'user' : kind);
