import { z } from 'zod';
import { causeCodes } from '../../../shared/causes/causes.ts';
import { addressReasons } from '../../../shared/directory/directory-entry.ts';
import { instant, pageOf } from '../../../shared/edge/answers/response-fields.ts';
import { mailboxKinds } from '../../../shared/mailboxes/mailbox.ts';
import { causeSchema, explanation, microsoftIds } from '../finding-schemas.ts';

const findingSchema = z
  .strictObject({
    cause: causeSchema,
    ...explanation,
    permission: z.string().optional().meta({
      description: 'The least application permission of Microsoft Graph that is missing.',
      example: 'User.Read.All',
    }),
    ...microsoftIds,
    seenAt: instant,
  })
  .meta({ id: 'DirectoryFinding', description: 'Why the directory of a tenant could not be read.' });

const state = {
  readAt: instant.nullable().meta({
    description: 'As of when the users are. `null` as long as the directory was never read completely.',
  }),
  reading: z.boolean().meta({ description: 'Whether it is being read now.' }),
  finding: findingSchema.nullable().meta({ description: 'Why the last read failed.' }),
};

export const directoryStateSchema = z
  .strictObject(state)
  .meta({ id: 'DirectoryState', description: 'How far reading the directory of a tenant has got.' });

export const directoryMailboxSchema = z
  .strictObject({
    address: z.string().meta({ example: 'jane@contoso.com', description: 'The primary address.' }),
    displayName: z.string().optional(),
    objectId: z.string().meta({ description: 'The ID of the user in Entra.' }),
    kind: z.enum(mailboxKinds).meta({
      description:
        '`unknown` if neither the directory nor the mailbox tells. The app can ask mailboxes with `MailboxSettings.Read`.',
    }),
    connected: z.boolean().meta({
      description: 'Whether the connection looks after this mailbox already, under this address or under another one.',
    }),
    eligible: z.boolean().meta({ description: 'Whether it can be imported. `true` as well if that is not known.' }),
    reason: z
      .enum([...causeCodes, ...addressReasons])
      .optional()
      .meta({ description: 'Why it is not eligible. A cause, or what is wrong with the address.' }),
  })
  .meta({ id: 'DirectoryMailbox', description: 'A user of the tenant who has an address, as of the last read.' });

export const directoryPageSchema = pageOf(directoryMailboxSchema).extend(state);
