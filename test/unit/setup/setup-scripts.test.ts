import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Connection, clouds } from '../../../shared/connections/connection.ts';
import { isMethodOf, methodsOf, setupAccesses, setupMethods } from '../../../shared/setup/setup-access.ts';
import type { SetupInput, SetupScript } from '../../../shared/setup/setup-input.ts';
import { writeRegistrationScript, writeSetupScript } from '../../../shared/setup/setup-script.ts';
import { ownCmdlets, vendorCmdlets } from '../../support/cmdlets.ts';
import { parsePowerShell, treeOf } from '../../support/powershell.ts';
import { aConnection } from '../../support/records.ts';

interface Values {
  name: string;
  group: string;
  tenant: string;
  appName: string;
  defaultMailbox: string;
  addresses: string[];
}

const plainValues: Values = {
  name: 'Contoso',
  group: 'muster@contoso.com',
  tenant: 'contoso.com',
  appName: 'Muster',
  defaultMailbox: 'jane@contoso.com',
  addresses: ['jane@contoso.com', 'joe@contoso.com'],
};

/** Every access with each of its methods, and the registration of an app, each with its undo script. */
const kinds = [false, true].flatMap((undo) => [
  ...setupAccesses.flatMap((access) =>
    ([undefined, ...setupMethods] as const)
      .filter((method) => isMethodOf(access, method) && (method === undefined || method !== methodsOf[access][0]))
      .map((method) => ({ access, undo, ...(method && { method }) })),
  ),
  { register: true as const, undo },
]);
type Kind = (typeof kinds)[number];

function write(
  kind: Kind,
  values: Values = plainValues,
  cloud: SetupInput['connection']['cloud'] = 'global',
): SetupScript {
  if ('register' in kind) {
    return writeRegistrationScript({
      cloud,
      tenant: values.tenant,
      appName: values.appName,
      access: 'graph',
      redirectUri: 'https://muster.example/v1/consent/callback',
      undo: kind.undo,
    });
  }
  const { name, group, defaultMailbox, addresses } = values;
  const connection = aConnection({ name, defaultMailbox, cloud });
  return writeSetupScript({ connection, ...kind, group, mailboxes: { addresses, nextLine: 1001 } });
}

const scripts = kinds.map((kind) => [write(kind).fileName, kind] as const);

describe.each(scripts)('%s', (fileName, kind) => {
  const { text } = write(kind);
  const script = parsePowerShell(text);

  it('is what was reviewed', async () => {
    await expect(text).toMatchFileSnapshot(`golden/${fileName}`);
  });

  it('is PowerShell, in printable ASCII, and uses nothing that Windows PowerShell 5.1 lacks', () => {
    expect(script.faults).toEqual([]);
    expect(text).toMatch(/^[ -~\n]*$/);
    expect(text).not.toMatch(/&&|\|\||\?\?|\?\.|-Parallel/);
    expect(text).not.toMatch(/`/);
  });

  it('calls only cmdlets that exist, with parameters that they have', () => {
    const known = [...ownCmdlets, ...script.functions, ...Object.keys(vendorCmdlets)];
    const called = script.commands.filter(({ name }) => name.includes('-'));
    expect(called.length).toBeGreaterThan(10);
    expect(called.filter(({ name }) => !known.includes(name))).toEqual([]);
    const wrong = called.flatMap(({ name, parameters, line }) => {
      const documented = vendorCmdlets[name]?.split(' ').map((parameter) => `-${parameter}`);
      return parameters
        .map((parameter) => parameter.replace(/:.*$/, ''))
        .filter((parameter) => documented && !documented.includes(parameter))
        .map((parameter) => `${line}: ${name} ${parameter}`);
    });
    expect(wrong).toEqual([]);
  });

  it('changes nothing with -WhatIf: every change is behind a question', () => {
    const changes = script.commands.filter(
      ({ name }) => /^(?:New|Set|Add|Remove|Update)-/.test(name) && name in vendorCmdlets,
    );
    expect(changes.length).toBeGreaterThan(0);
    const unasked = changes.filter(
      ({ conditions }) => !conditions.some((one) => /\$PSCmdlet\.ShouldProcess\(|-not \$Pretend\b/.test(one)),
    );
    expect(unasked).toEqual([]);
  });

  it('stops at the first error that it does not expect, also in the functions of modules', () => {
    const firstCall = text.indexOf('\nfunction ');
    const preference = text.indexOf("$PSDefaultParameterValues = @{ '*:ErrorAction' = 'Stop' }");
    expect(preference).toBeGreaterThan(0);
    expect(preference).toBeLessThan(firstCall);
    expect(text).not.toContain('SilentlyContinue');
  });

  it('says what it is, who can run it and what it needs, and ends with a check and a summary', () => {
    for (const section of ['.SYNOPSIS', '.DESCRIPTION', '.NOTES', '.LINK']) expect(text).toContain(`\n${section}\n`);
    expect(text).toContain('Install-Module');
    const check = text.indexOf("Write-Step 'Check: ");
    expect(check).toBeGreaterThan(0);
    expect(text.lastIndexOf('\nWrite-Summary')).toBeGreaterThan(0);
    expect(text).toContain('[CmdletBinding(SupportsShouldProcess = $true)]');
  });

  it('has no customer’s text in a comment', () => {
    const marked = write(kind, {
      name: 'qqname',
      group: 'qqgroup@contoso.com',
      tenant: 'qqtenant.com',
      appName: 'qqapp',
      defaultMailbox: 'qqdefault@contoso.com',
      addresses: ['qqone@contoso.com'],
    }).text;
    const comments = [...marked.matchAll(/<#[\s\S]*?#>|^\s*#.*$/gm)].map(([comment]) => comment);
    expect(comments.length).toBeGreaterThan(0);
    expect(comments.filter((comment) => comment.includes('qq'))).toEqual([]);
  });
});

describe('whatever people call things', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(...'\'"`$(){};\n\r\t\0#<>|&@%\\‘’‚‛“”„\u202E\u2066\u200F\u2028é한😀 \u0091\u0092uxn'),
    }),
    fc.constantFrom(
      "'; Remove-Mailbox -Identity *; '",
      '$(Remove-Item C:\\ -Recurse)',
      "@'\n'@",
      '#>\nRemove-Mailbox\n<#',
      '\\u0027; exit',
      '’; exit #',
      '`n`0',
      "\u202E'tixe ;",
    ),
  );
  const nastyAddress = fc.constantFrom(
    "o'neil@contoso.com",
    '$(x)@contoso.com',
    '`a`@contoso.com',
    '{a}|&b@contoso.com',
    'a#b@contoso.com',
  );
  const values: fc.Arbitrary<Values> = fc.record({
    name: nasty,
    group: nasty,
    tenant: nasty,
    appName: nasty,
    defaultMailbox: nasty,
    addresses: fc.tuple(nastyAddress, nastyAddress),
  });
  const parts = (text: string) => {
    const end = text.indexOf('\n$Changes = ');
    expect(end).toBeGreaterThan(0);
    return { head: text.slice(0, end), body: text.slice(end) };
  };
  const harmless = new Map(
    kinds.map((kind) => {
      const { head, body } = parts(write(kind).text);
      return [kind, { tree: treeOf(head), body }] as const;
    }),
  );

  it('every script parses to the same tree as with harmless names, and reads back exactly what was given', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), values, (kind, hostile) => {
        const { text } = write(kind, hostile);
        expect(text).toMatch(/^[ -~\n]*$/);
        const { head, body } = parts(text);
        expect(body).toBe(harmless.get(kind)?.body);
        expect(treeOf(head)).toBe(harmless.get(kind)?.tree);
        const read = [...text.matchAll(UNESCAPED)].map(([, quoted = '']) =>
          unescapeRegex(quoted.replaceAll("''", "'")),
        );
        const given = 'register' in kind ? [hostile.tenant, hostile.appName] : [hostile.name];
        for (const value of given) expect(read).toContain(readable(value));
      }),
      { numRuns: Number(process.env.RUNS ?? 150) },
    );
  });

  it('writes names that are not English so that every PowerShell reads them the same', () => {
    const { text } = write(kinds[0] as Kind, { ...plainValues, name: 'Müller’s Ñandú 😀' });
    expect(text).toContain(
      "$ConnectionName = [regex]::Unescape('M\\u00FCller\\u2019s \\u00D1and\\u00FA \\uD83D\\uDE00')",
    );
  });
});

it('changes and deletes only an app that it has registered, whatever other apps are called', () => {
  for (const undo of [false, true]) {
    const { text } = write({ register: true, undo });
    const isOurs = text.indexOf("if (@($App.Tags) -notcontains 'Muster') { throw");
    const change = text.search(/^ +(?:Update|Remove)-MgApplication -ApplicationId \$App\.Id/m);
    expect(isOurs).toBeGreaterThan(0);
    expect(change).toBeGreaterThan(isOurs);
  }
  expect(write({ register: true, undo: false }).text).toContain("-Tags @('Muster')");
});

it('signs in to the cloud of the connection', () => {
  const environments = clouds.map((cloud) => {
    const { text } = write({ access: 'imap', undo: false }, plainValues, cloud);
    const [graph, exchange] = ['GraphEnvironment', 'ExchangeEnvironment'].map(
      (name) => text.match(new RegExp(`^\\$${name} = '(\\w+)'$`, 'm'))?.[1],
    );
    return [cloud, graph, exchange];
  });
  expect(environments).toEqual([
    ['global', 'Global', 'O365Default'],
    ['usgov', 'USGov', 'O365USGovGCCHigh'],
    ['usgovdod', 'USGovDoD', 'O365USGovDoD'],
    ['china', 'China', 'O365China'],
    ['simulator', 'Global', 'O365Default'],
  ]);
});

it('grants no more than the probes of the connection need, and takes everything back', () => {
  const granted = (change: Partial<Connection>, undo = false) => {
    const connection = aConnection(change);
    const entra = writeSetupScript({ connection, access: 'graph', undo }).text;
    const scoped = writeSetupScript({ connection, access: 'graph-scoped', undo }).text;
    const permissions = entra.match(/^\$Permissions = '(.*)'$/m)?.[1];
    const roles = [...scoped.matchAll(/^ {4}'Application (\S+)'/gm)].map(([, role]) => role).join(' ');
    expect(roles).toBe(permissions);
    return permissions;
  };
  expect(granted({})).toBe('Mail.ReadWrite Mail.Send');
  expect(granted({ probes: ['graph.send', 'imap'] })).toBe('Mail.Send');
  expect(granted({ probes: ['graph.send'], sendProbe: 'selfAddressed' })).toBe('Mail.ReadWrite Mail.Send');
  expect(granted({ probes: ['graph.readWrite'] })).toBe('Mail.ReadWrite');
  expect(granted({ probes: ['imap'] })).toBe('Mail.ReadWrite Mail.Send');
  expect(granted({ probes: ['graph.send'] }, true)).toBe('Mail.ReadWrite Mail.Send');
});

it('asks for the group and the tenant if nobody has named them', () => {
  const { text } = writeSetupScript({ connection: aConnection(), access: 'graph-scoped', undo: false });
  expect(text).toContain('[Parameter(Mandatory = $true)] [string] $ScopeGroup');
  const input = {
    cloud: 'global',
    appName: 'Muster',
    access: 'graph',
    redirectUri: 'https://a.example',
    undo: true,
  } as const;
  expect(writeRegistrationScript(input).text).toContain('[Parameter(Mandatory = $true)] [string] $Tenant');
});

const UNESCAPED = /\[regex\]::Unescape\('((?:[^']|'')*)'\)/g;

/** What .NET’s Regex.Unescape makes of the escapes that scripts use. */
function unescapeRegex(text: string): string {
  return text.replace(/\\(?:u([0-9A-F]{4})|\\)/g, (_, code?: string) =>
    code ? String.fromCharCode(Number.parseInt(code, 16)) : '\\',
  );
}

const readable = (text: string) => text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '\uFFFD');
