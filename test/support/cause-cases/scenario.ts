import type { ScenarioInput } from '../../../local/microsoft365/scenario.ts';
import { appOf, domain, mailGrants, mainApp, protocolApp, scopedApp, selfApp, smtpOff, writerApp } from './apps.ts';
import { caseApps, caseTenants } from './connection-cases.ts';
import { blocked, mailboxes, plainMailbox, recipients } from './mailbox-cases.ts';

const directoryGrants = ['User.Read.All', 'Group.Read.All', 'OrgContact.Read.All', 'MailboxSettings.Read'];
const protocolGrants = ['IMAP.AccessAsApp', 'SMTP.SendAsApp'];

/** The simulated Microsoft 365 in which every case occurs. */
export const causeScenario: ScenarioInput = {
  latencyMs: 5,
  tenants: [
    {
      id: '3c9a7e10-54b2-4f68-8d1e-a97c20f4b601',
      name: 'Adatum',
      domains: [domain],
      apps: [
        appOf(mainApp, { grants: [...mailGrants, ...directoryGrants], accessPolicy: { deny: blocked } }),
        appOf(scopedApp, {
          grants: [],
          rbac: [{ role: 'Application Mail Full Access', members: [plainMailbox] }],
        }),
        appOf(writerApp, { grants: ['Mail.ReadWrite'] }),
        appOf(protocolApp, { grants: protocolGrants }),
        appOf(selfApp, {}),
        ...caseApps,
      ],
      mailboxes,
      recipients,
    },
    {
      id: '3c9a7e10-54b2-4f68-8d1e-a97c20f4b602',
      name: 'SMTP off',
      domains: [smtpOff.tenant],
      smtpAuthDisabled: true,
      apps: [appOf(smtpOff, { grants: protocolGrants })],
      mailboxes: [
        { address: `one@${smtpOff.tenant}`, fullAccess: [smtpOff.clientId] },
        { address: `two@${smtpOff.tenant}`, fullAccess: [smtpOff.clientId], smtpAuth: true, fault: 'error:5.7.3' },
      ],
    },
    ...caseTenants,
  ],
};
