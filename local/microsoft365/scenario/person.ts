import { z } from 'zod';

/**
 * Template ids of directory roles, which are the same in every tenant.
 * https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
 */
export const roleTemplateIds = {
  'Global Administrator': '62e90394-69f5-4237-9190-012177145e10',
  'Privileged Role Administrator': 'e8611ab8-c189-46e8-94e1-60213ab1f814',
  'Application Administrator': '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3',
  'Cloud Application Administrator': '158c047a-c907-4556-b7ef-446551a6b5f7',
  'Exchange Administrator': '29232cdf-9323-42fd-ade2-1d097af3e4de',
  'Security Administrator': '194ae4cb-b126-40b2-bd5b-6091b380977d',
  'User Administrator': 'fe930be7-5e62-47db-91af-98c3a49a38b1',
  'Helpdesk Administrator': '729827e3-9c14-49f7-bb1b-9608f156bbb8',
  'Global Reader': 'f2ef992c-3afb-46b9-b7cf-a126ee74c451',
  'Directory Readers': '88d8e3e3-8f55-4a1e-953a-9b9898b8876b',
} as const;

type RoleName = keyof typeof roleTemplateIds;
const roleNames = Object.keys(roleTemplateIds) as [RoleName, ...RoleName[]];

/** Someone who can sign in on the sign-in page. */
export const personSchema = z.strictObject({
  upn: z.string().regex(/^[^\s@]+@[^\s@]+$/, 'must be a user principal name'),
  name: z.string().min(1).optional(),
  roles: z.array(z.enum(roleNames)).default([]),
});

export type ScenarioPerson = z.infer<typeof personSchema>;

/** The people of a tenant that lists none: an admin, and someone without a role. */
export function defaultPeople(domain: string): ScenarioPerson[] {
  return [
    { upn: `admin@${domain}`, name: 'Admin', roles: ['Global Administrator'] },
    { upn: `someone@${domain}`, name: 'Someone', roles: [] },
  ];
}
