import type { ScenarioInput } from './microsoft365/scenario.ts';

/** The sample tenants of `npm start`. Their ids and credentials are the same on every machine and give access to nothing. */
export const contoso = {
  tenantId: '6f1c2a4e-8d3b-4f57-9a60-1c5e7b2d9f01',
  domain: 'contoso.example',
  clientId: '0b0e5c1d-2f6a-4b83-8e97-3d4a6c8b1f02',
  clientSecret: 'simulated-Contoso-8Q~value-of-a-client-secret',
} as const;

export const fabrikam = {
  tenantId: '9d7e4b1a-5c2f-4e68-b3a1-7f8c0d6e2a03',
  domain: 'fabrikam.example',
  clientId: '4c8a7e2b-1d9f-4a56-9b7c-5e3f2a1d8c04',
  clientSecret: 'simulated-Fabrikam-8Q~value-of-a-client-secret',
} as const;

/** The multi-tenant app of the service. It trusts the identity of the stack, so it has no secret. */
const vendorApp = { clientId: '2e9d6c4a-7b1f-4d83-a5e0-8c3b1f6a9d05' } as const;

/** The app settings that name it. */
export const vendorAppSettings = { VENDOR_APP_CLIENT_ID: vendorApp.clientId, VENDOR_APP_CLOUD: 'simulator' };

const grants = [
  'Mail.ReadWrite',
  'Mail.Send',
  'User.Read.All',
  'MailboxSettings.Read',
  'IMAP.AccessAsApp',
  'SMTP.SendAsApp',
];

/** Not in the tenant before an admin accepts it. */
const serviceApp: NonNullable<ScenarioInput['tenants'][number]['apps']>[number] = {
  clientId: vendorApp.clientId,
  displayName: 'Muster',
  registeredElsewhere: true,
  trustsDeployment: true,
  grants: ['Mail.ReadWrite', 'Mail.Send'],
  consent: 'absent',
};

/** Contoso has a working app, and mailboxes of every kind and fault. Fabrikam is small and still needs admin consent. */
export function sampleScenario(): ScenarioInput {
  const at = (name: string) => `${name}@${contoso.domain}`;
  const fullAccess = [contoso.clientId];
  return {
    latencyMs: 20,
    tenants: [
      {
        id: contoso.tenantId,
        name: 'Contoso',
        domains: [contoso.domain, 'contoso.onmicrosoft.example'],
        apps: [
          {
            clientId: contoso.clientId,
            displayName: 'Outreach',
            secrets: [{ value: contoso.clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
            grants,
            accessPolicy: { deny: [at('legal')] },
          },
          serviceApp,
        ],
        mailboxes: [
          {
            address: at('jane'),
            upn: at('jdoe'),
            displayName: 'Jane Doe',
            aliases: [at('j.doe'), at('jane.doe')],
            fullAccess,
          },
          { address: at('omar'), displayName: 'Omar Haddad', fullAccess },
          { address: at('mei'), displayName: 'Mei Lin', imap: false, fullAccess },
          { address: at('piotr'), displayName: 'Piotr Nowak', smtpAuth: false, fullAccess },
          { address: at('support'), displayName: 'Support', kind: 'shared', fullAccess },
          { address: at('board-room'), displayName: 'Board room', kind: 'room', fullAccess },
          { address: at('projector'), displayName: 'Projector', kind: 'equipment', fullAccess },
          { address: at('legal'), displayName: 'Legal', kind: 'shared' },
          { address: at('archivist'), displayName: 'Archivist', fault: 'full' },
          { address: at('mover'), displayName: 'On the move', fault: 'moving' },
          { address: at('reader'), displayName: 'May not send', fault: 'sendDenied' },
          { address: at('sender'), displayName: 'May not be written to', fault: 'readWriteDenied' },
          { address: at('slow'), displayName: 'Slow', fault: 'slow' },
          { address: at('flaky'), displayName: 'Flaky', fault: 'flaky' },
          { address: at('down'), displayName: 'Down', fault: 'down' },
          { address: at('silent'), displayName: 'Silent', fault: 'noAnswer' },
          { address: at('garbled'), displayName: 'Garbled', fault: 'garbage' },
          { address: at('forgetful'), displayName: 'Loses an answer', fault: 'lostDraft' },
          { address: at('odd'), displayName: 'Refuses oddly', fault: { code: 'ErrorOfTomorrow', status: 403 } },
          { generate: 20, address: at('user{n}'), displayName: 'User {n}', fullAccess },
        ],
        recipients: [
          { address: at('sales'), kind: 'group', displayName: 'Sales', members: [at('jane'), at('omar')] },
          { address: at('supplier'), kind: 'contact', displayName: 'Supplier' },
          { address: 'visitor@partner.example', kind: 'guest', displayName: 'Visitor' },
          { address: at('factory'), kind: 'onPremises', displayName: 'Factory' },
          { address: at('newcomer'), kind: 'unlicensed', displayName: 'Newcomer' },
          { address: at('leaver'), kind: 'disabled', displayName: 'Leaver' },
          { address: at('deleted'), kind: 'softDeleted', displayName: 'Deleted' },
          { address: at('inactive'), kind: 'inactive', displayName: 'Inactive' },
        ],
      },
      {
        id: fabrikam.tenantId,
        name: 'Fabrikam',
        domains: [fabrikam.domain],
        apps: [
          {
            clientId: fabrikam.clientId,
            displayName: 'Outreach',
            secrets: [{ value: fabrikam.clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
            grants,
            consent: 'required',
          },
          serviceApp,
        ],
        mailboxes: [
          { address: `ada@${fabrikam.domain}`, displayName: 'Ada' },
          { address: `info@${fabrikam.domain}`, displayName: 'Info', kind: 'shared' },
        ],
      },
    ],
  };
}
