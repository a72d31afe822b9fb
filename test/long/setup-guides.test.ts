import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ScenarioInput } from '../../local/microsoft365/scenario.ts';
import { consentAndConfirm } from '../support/admin-browser.ts';
import type { ApiAnswer } from '../support/api-client.ts';
import { parsePowerShell } from '../support/powershell.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { type Instruction, placeholdersOf, type SetupGuide, setupGuides } from '../support/setup-guide.ts';

const VENDOR_APP_CLIENT_ID = '3d8c3b52-3f0e-4a3c-9f0b-6a2f0c9d7e41';

type TenantInput = ScenarioInput['tenants'][number];
type AppInput = NonNullable<TenantInput['apps']>[number];

/**
 * A simulated tenant for each guide, as its admin has left it at the end: the app with its grants, and a mailbox. The
 * test reads from it what the portal would show.
 */
function tenantOf(guide: SetupGuide, index: number): TenantInput & { apps: [AppInput] } {
  const digit = (index + 1).toString(16);
  const domain = `guide${index}.example`;
  const clientId = `a0000000-0000-4000-8000-00000000000${digit}`;
  const group = `group@${domain}`;
  const app = {
    'own-app': { grants: ['Mail.ReadWrite', 'Mail.Send'] },
    'own-app-scoped': {
      rbac: ['Mail.ReadWrite', 'Mail.Send'].map((role) => ({ role: `Application ${role}`, members: [group] })),
    },
    imap: { grants: ['IMAP.AccessAsApp'] },
    smtp: { rbac: [{ role: 'Application SMTP.SendAsApp', members: [group] }] },
    certificate: { grants: ['Mail.ReadWrite', 'Mail.Send'] },
    'service-app': {
      clientId: VENDOR_APP_CLIENT_ID,
      registeredElsewhere: true,
      trustsDeployment: true,
      consent: 'absent' as const,
      grants: ['Mail.ReadWrite', 'Mail.Send'],
    },
  }[nameOf(guide)];
  return {
    id: `b0000000-0000-4000-8000-00000000000${digit}`,
    name: `Guide ${index}`,
    domains: [domain],
    apps: [
      {
        clientId,
        secrets: [{ value: `simulated-8Q~secret-of-guide-${index}`, expiresAt: '2036-01-01T00:00:00Z' }],
        ...app,
      },
    ],
    mailboxes: [
      { address: `jane@${domain}`, ...(nameOf(guide) === 'imap' && { fullAccess: [clientId] }) },
      { address: `ceo@${domain}` },
    ],
    recipients: [{ address: group, kind: 'group', members: [`jane@${domain}`] }],
  };
}

const nameOf = ({ path }: SetupGuide) => path.replace(/^.*\/|\.md$/g, '') as GuideName;
type GuideName = 'own-app' | 'own-app-scoped' | 'imap' | 'smtp' | 'certificate' | 'service-app';

const tenants = setupGuides.map(tenantOf);
const running = useRunningStack(
  { latencyMs: 5, tenants },
  { settings: { VENDOR_APP_CLIENT_ID, VENDOR_APP_CLOUD: 'simulator' } },
);

/** What the pages of the portal show. */
function portal(tenant: TenantInput, app: AppInput): Record<string, string | undefined> {
  return {
    'Overview > Directory (tenant) ID': tenant.id,
    'Overview > Application (client) ID': app.clientId,
    'Certificates & secrets > Value': app.secrets?.[0]?.value,
    'Certificates & secrets > Expires': app.secrets?.[0]?.expiresAt?.slice(0, 10),
    'Exchange admin center > Groups > Group email': String(tenant.recipients?.[0]?.address),
  };
}

const at = (body: unknown, path: string) =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], body);

describe.each(
  setupGuides.map((guide, index) => [guide.path, guide, tenants[index] as (typeof tenants)[number]] as const),
)('%s', (_, guide, tenant) => {
  it('leads a reader who copies what it shows, and knows nothing else, to a connection that works', async () => {
    const [app] = tenant.apps;
    const start: Record<string, string> = {
      'API key': running.ownerKey,
      Mailbox: `jane@${tenant.domains[0]}`,
      'Off-limits mailbox': `ceo@${tenant.domains[0]}`,
      'Tenant ID': tenant.id,
      'Tenant domain': String(tenant.domains[0]),
      'Client ID': app.clientId,
    };
    const values = new Map(guide.startsWith.map((name) => [name, start[name] as string]));
    let answer: ApiAnswer | undefined;
    let last: Extract<Instruction, { kind: 'request' }> | undefined;
    let requests = 0;

    const fill = (text: string, encode: (value: string) => string) =>
      placeholdersOf(text).reduce((filled, name) => {
        const value = values.get(name);
        if (value === undefined) throw new Error(`${guide.path}: nothing has shown ${name}`);
        return filled.replace(`{{${name}}}`, encode(value));
      }, text);
    const send = async (request: NonNullable<typeof last>): Promise<ApiAnswer> => {
      const path = fill(request.path, encodeURIComponent);
      const body = request.body && JSON.parse(fill(request.body, (value) => JSON.stringify(value).slice(1, -1)));
      // The one thing that a reader with a real tenant does not write.
      if (body && path === '/v1/connections') body.cloud = 'simulator';
      const key = values.get('API key') ?? '';
      const answered = await running.owner.as(key).call(request.method, path, body ? { body } : {});
      expect(answered.status, `${request.method} ${path}: ${answered.text.slice(0, 500)}`).toBeLessThan(300);
      if (path.includes('setup-script')) expect(parsePowerShell(answered.text).faults).toEqual([]);
      return answered;
    };

    // The way by script is followed up to the script: there is no PowerShell here, and no portal behind it.
    for (const one of guide.byScript?.instructions ?? []) {
      if (one.kind === 'request') answer = await send(one);
      if (one.kind === 'copy') expect(answer?.text).toContain(`${one.from.field}: `);
    }
    for (const { title, instructions } of guide.steps) {
      for (const one of instructions) {
        if (one.kind === 'request') {
          last = one;
          requests++;
          answer = await send(one);
        }
        if (one.kind === 'copy') {
          const { kind, field } = one.from;
          const shown =
            kind === 'Portal'
              ? portal(tenant, app)[field]
              : field === 'the file'
                ? answer?.text
                : at(answer?.body, field);
          expect(shown, `${guide.path}, ${title}: ${field}`).toEqual(expect.any(String));
          values.set(one.name, String(shown));
        }
        if (one.kind === 'expect') {
          const wanted = fill(one.value, String);
          for (let tries = 0; one.isRepeated && tries < 150 && String(at(answer?.body, one.path)) !== wanted; tries++) {
            await pause(200);
            if (last) answer = await send(last);
          }
          expect(String(at(answer?.body, one.path)), answer?.text).toBe(wanted);
        }
      }
      if (/^\d+\. Add it to the app/.test(title)) await addCertificate(tenant, values);
      if (/^\d+\. Consent, sign in, confirm/.test(title)) {
        const admin = `admin@${tenant.domains[0]}`;
        await consentAndConfirm(values.get('Consent link') ?? '', admin, running.stack.local().apiUrl);
      }
    }
    expect(requests).toBeGreaterThan(2);

    // What sentences name is not a step, and works as well.
    for (const [, path = ''] of guide.text.matchAll(/`GET (\/v1\/[^`]+)`/g)) {
      const id = path.startsWith('/v1/imports/') ? 'Import ID' : 'Connection ID';
      await send({
        kind: 'request',
        method: 'GET',
        path: path.replace('{id}', `{{${id}}}`).replace('…', '{{Import ID}}'),
      });
    }
  });
});

/** What step 3 of the guide for certificates does in the portal: an upload of the file. */
async function addCertificate(tenant: TenantInput & { apps: [AppInput] }, values: Map<string, string>): Promise<void> {
  const pem = await running.muster.connections.downloadCertificate(values.get('Connection ID') ?? '');
  const thumbprint = values.get('Thumbprint') ?? '';
  await running.simulator('PUT', `/_simulator/tenants/${tenant.id}`, {
    ...tenant,
    apps: [{ ...tenant.apps[0], certificates: [{ thumbprint, publicKeyPem: pem }] }],
  });
}
