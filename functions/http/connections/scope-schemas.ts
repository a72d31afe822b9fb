import { z } from 'zod';
import { mailboxScopes } from '../../../shared/checks/scope-check/mailbox-scope.ts';
import { scopeAnswers, scopePermissions, scopeVerdicts } from '../../../shared/connections/grants/scope-check.ts';
import { instant } from '../../../shared/edge/answers/response-fields.ts';
import { causeSchema, microsoftIds } from '../finding-schemas.ts';

const findingSchema = z
  .strictObject({
    permission: z.enum(scopePermissions).meta({
      description: 'The application permission that gives the right. `Mail.Read` stands for every permission to read.',
    }),
    answer: z.enum(scopeAnswers),
    byPolicy: z
      .literal(true)
      .optional()
      .meta({ description: 'Microsoft’s message names a policy of the tenant. Only if refused.' }),
    cause: causeSchema.optional(),
    detail: z.string().optional().meta({ description: 'Why it is inconclusive.' }),
    ...microsoftIds,
  })
  .meta({ id: 'ScopeFinding', description: 'What was seen of one right at one mailbox.' });

const askedSchema = z
  .strictObject({
    address: z.string(),
    answer: z.enum(scopeAnswers).meta({
      description: '`allowed` if one right is allowed, `refused` if all are refused.',
    }),
    permissions: z.array(findingSchema),
  })
  .meta({ id: 'ScopedMailbox' });

export const scopeCheckSchema = z
  .strictObject({
    checkedAt: instant,
    verdict: z.enum(scopeVerdicts).meta({
      description:
        '`scoped`: every address is refused, and the mailbox in scope is not. `scopeTooWide`: the app gets in at some of the addresses only. `scopePresentButUnscopedGrant`: a scope is present, but an unscoped grant defeats it. `tenantWide`: the app gets in, and nothing shows a scope. `inconclusive`: it is not proven that a scope is the reason for the refusals.',
    }),
    cause: causeSchema
      .optional()
      .meta({ description: 'Why it is inconclusive. Absent if no mailbox is known that the app may use.' }),
    detail: z.string().meta({ description: 'What was seen, and what explains it.' }),
    fix: z.string().meta({ description: 'What to do.' }),
    link: z.string().meta({ description: 'A page about it.' }),
    offLimits: z.array(askedSchema),
    inScope: askedSchema.nullable().meta({
      description: 'The mailbox that shows that the app works at all. `null` if none is known.',
    }),
    roles: z.array(z.string()).meta({
      description:
        'The permissions that the tokens show: grants in Entra. They explain the verdict, and never decide it.',
    }),
    assignments: z
      .array(
        z.strictObject({
          role: z.string().meta({ examples: ['Application Mail.Send'] }),
          permissions: z.array(z.enum(scopePermissions)),
          isScoped: z.boolean().meta({ description: 'Whether it is for some mailboxes only.' }),
        }),
      )
      .nullable()
      .meta({
        description:
          'The app’s roles of RBAC for Applications. `null` if it may not read them: that needs RoleManagement.Read.Exchange. With them, a scope is seen that a grant in Entra defeats.',
      }),
    mayChangeUntil: instant.nullable().meta({
      description:
        'Until then, Microsoft may answer differently although nobody changes anything, because of a change of consent or grants that is known here. A change in Exchange takes 30 minutes to 2 hours.',
    }),
  })
  .meta({ id: 'ScopeCheck', description: 'What Microsoft refuses the app, and what it does not.' });

export const mailboxScopeSchema = z.enum(mailboxScopes).meta({
  id: 'MailboxScope',
  description:
    '`inScope`: the app may use the mailbox, and the last scope check has shown a scope. `outOfScope`: Microsoft refuses the app at this mailbox. `tenantWide`: the app may use it, and the last scope check has shown a right that no scope limits. `unknown`: no scope check since the grants changed, or no check of the mailbox, tells.',
});
