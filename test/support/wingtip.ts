import type { ScenarioTenantInput } from '../../local/microsoft365/scenario.ts';

/** The simulated tenant that most tests use, with its app and the app's secret. */
export const wingtip = {
  id: '3c8e5d72-1f4a-4b96-8e07-5a9d2c6b1f80',
  domain: 'wingtip.example',
  clientId: 'a1d4f7c2-6b3e-4958-9c0d-7e2f8b5a4c61',
  clientSecret: 'simulated-Wingtip-8Q~value-of-a-client-secret',
} as const;

export type AppInput = NonNullable<ScenarioTenantInput['apps']>[number];

/** An address in the tenant's domain. */
export const at = (name: string): string => `${name}@${wingtip.domain}`;

export function wingtipApp(more: Partial<AppInput> = {}): AppInput {
  return {
    clientId: wingtip.clientId,
    secrets: [{ value: wingtip.clientSecret }],
    grants: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All'],
    ...more,
  };
}

export function wingtipTenant(more: Partial<ScenarioTenantInput> = {}): ScenarioTenantInput {
  return { id: wingtip.id, name: 'Wingtip', domains: [wingtip.domain], apps: [wingtipApp()], ...more };
}
