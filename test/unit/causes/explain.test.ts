import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CauseCode, causeCodes, causes } from '../../../shared/causes/causes.ts';
import { permissionOf } from '../../../shared/causes/denial.ts';
import { explain } from '../../../shared/causes/explain.ts';
import { type DenialHints, type Probe, probes, tokenGrants } from '../../../shared/causes/verdict.ts';
import { requireReady } from '../../../shared/connections/readiness/require-ready.ts';
import { repeatedRefusalFinding } from '../../../shared/imports/refusals/repeated-refusal-finding.ts';
import { aConnection } from '../../support/records.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const anyProbes = fc.uniqueArray(fc.constantFrom(...probes), { minLength: 1 });
const anyDenial: fc.Arbitrary<DenialHints> = fc.record({
  byPolicy: fc.boolean(),
  token: fc.constantFrom(...tokenGrants),
  mailboxOpened: fc.boolean(),
});
const sentencesOf = (text: string) => text.split(/(?<=[.!?”)])\s+(?=[A-Z])/);
const missing = (cause: CauseCode) => cause === 'permission_missing' || cause === 'consent_missing';

describe('the texts of a cause', () => {
  it('never say the same sentence twice, nor when they are put together for a refused import', () => {
    fc.assert(
      fc.property(fc.constantFrom(...causeCodes), anyProbes, fc.option(anyDenial), (cause, about, denial) => {
        const { sentence, fix } = explain(cause, { probes: about, denial: denial ?? undefined });
        const finding = { cause, probes: about, detail: sentence, seenAt: NOW };
        const texts = [`${sentence} ${fix}`, refusalOf({ ...aConnection(), status: 'failing', finding })];
        for (const text of texts) {
          const said = sentencesOf(text);
          expect(said).toEqual([...new Set(said)]);
          expect(text.match(/test the connection again/gi)?.length ?? 0).toBeLessThan(2);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('name the permissions that are missing, and no other', () => {
    fc.assert(
      fc.property(fc.constantFrom<CauseCode>('permission_missing', 'consent_missing'), anyProbes, (cause, about) => {
        const { fix } = explain(cause, { probes: about });
        const withoutRoles = fix.replaceAll(/“Application [^”]+”/g, '');
        const named = probes.filter((probe) => withoutRoles.includes(permissionOf[probe]));
        expect(named.toSorted()).toEqual(about.toSorted());
        expect(fix.includes('Microsoft Graph')).toBe(about.some((probe) => probe.startsWith('graph.')));
      }),
    );
  });

  it.each([['imap'], ['smtp'], ['imap', 'smtp']] as Probe[][])(
    'tell %s only what Exchange Online needs',
    (...about) => {
      for (const cause of causeCodes.filter(missing)) {
        const { sentence, fix } = explain(cause, { probes: about });
        expect(`${sentence} ${fix}`).not.toMatch(/Graph|Mail\.(Read|Send)/);
        expect(fix).toContain('Office 365 Exchange Online');
        expect(fix).toContain('Add-MailboxPermission');
      }
    },
  );

  it('send nobody to the registration of an app that is the vendor’s', () => {
    for (const cause of causeCodes.filter(missing)) {
      const { fix } = explain(cause, { probes: ['graph.send'], isVendorApp: true });
      expect(fix).not.toContain('App registrations');
      expect(fix).toMatch(/open a new consent link .* asks for Mail\.Send/);
    }
  });

  it('do not offer a role to IMAP, because RBAC for Applications has none', () => {
    expect(explain('consent_missing', { probes: ['imap'] }).fix).not.toMatch(/role|RBAC|scope/);
    expect(explain('consent_missing', { probes: ['smtp'] }).fix).toContain('“Application SMTP.SendAsApp”');
  });

  it('are those of the catalogue if nothing is known, or if the cause is not about permissions', () => {
    for (const cause of causeCodes) {
      const { sentence, fix, link } = causes[cause];
      expect(explain(cause)).toEqual({ sentence, fix, link });
    }
    expect(explain('mailbox_full', { probes: ['graph.send'] }).fix).toBe(causes.mailbox_full.fix);
  });
});

describe('a denial', () => {
  const said = (cause: CauseCode, token: DenialHints['token'], probe: Probe = 'graph.send') =>
    explain(cause, { probes: [probe], denial: { byPolicy: false, token, mailboxOpened: false } });

  it('says that Entra lists a permission only if the token has it', () => {
    for (const cause of causeCodes.filter(missing)) {
      expect(said(cause, 'lacks').sentence).not.toMatch(/lists/);
      expect(said(cause, 'grants').sentence).toMatch(/although Entra lists Mail\.Send/);
    }
    expect(said('permission_missing', 'empty').sentence).toContain('Entra does not list Mail.Send');
    expect(said('mailbox_unlicensed_or_on_premises', 'grants').sentence).toMatch(/^Entra lists Mail\.Send/);
  });

  it('does not ask for a permission that Entra lists already', () => {
    for (const cause of causeCodes.filter(missing)) {
      const { fix } = said(cause, 'grants');
      expect(fix).toContain('If Mail.Send is no longer listed');
      expect(fix).not.toContain('Add a permission');
    }
  });

  it('says that other mailboxes pass only if that is how it was explained', () => {
    expect(said('mailbox_out_of_scope', 'lacks').sentence).toMatch(/^Other mailboxes .* pass .* send from this one/);
    expect(said('mailbox_out_of_scope', 'grants').sentence).not.toMatch(/other mailboxes/i);
  });

  it('advises a scope only where a scope can limit the app: a grant by Entra is for the whole tenant', () => {
    expect(said('mailbox_out_of_scope', 'grants').fix).toContain('Test-ApplicationAccessPolicy');
    expect(said('mailbox_out_of_scope', 'grants').fix).not.toContain('management scope');
    expect(said('mailbox_out_of_scope', 'lacks').fix).toContain('“Application Mail.Send”');
  });

  it('of every mailbox becomes one finding that names the permission', () => {
    const denial = { byPolicy: false, token: 'lacks', mailboxOpened: true } as const;
    const suspect = {
      probe: 'graph.send',
      finding: { verdict: 'failed', checkedAt: NOW, cause: 'permission_missing', denial },
    } as const;
    const finding = repeatedRefusalFinding(suspect, 20, NOW);
    expect(finding.detail).toContain('Entra does not list Mail.Send');
    expect(explain(finding.cause, finding).fix).toMatch(/choose Mail\.Send\./);
  });
});

function refusalOf(connection: Parameters<typeof requireReady>[0]): string {
  try {
    requireReady(connection);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('The connection is ready.');
}
