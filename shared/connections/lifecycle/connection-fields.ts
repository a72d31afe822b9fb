import { z } from 'zod';
import { causes } from '../../causes/causes.ts';
import { isConsumerDomain } from '../../kernel/consumer-domains.ts';
import { Secret } from '../../kernel/secret.ts';
import { type Cloud, clouds } from '../connection.ts';
import { isSecretId } from '../credentials/client-secret.ts';

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DOMAIN = /^(?=.{3,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i;

/** Whether a tenant is named by its ID, not by one of its domains. */
export function isTenantId(tenant: string): boolean {
  return GUID.test(tenant);
}

/** A tenant: its ID, or one of its domains. Personal Microsoft accounts are in no tenant. */
export const tenantField = z
  .string()
  .meta({ description: 'The ID of the tenant, or one of its domains.', examples: ['contoso.com'] })
  .trim()
  .min(1)
  .refine(
    (tenant) => tenant === '' || isTenantId(tenant) || DOMAIN.test(tenant),
    'must be the ID of the tenant (a GUID) or one of its domains, such as contoso.com',
  )
  .refine(
    (tenant) => !isConsumerDomain(tenant.toLowerCase()),
    'belongs to personal Microsoft accounts. Only tenants of organizations can be connected.',
  );

/** The Value that the portal shows has 40 characters. The limit only keeps out what cannot be one. */
const SECRET_MAX_LENGTH = 1000;

/** A client secret. Recognizes a Secret ID, which people paste because the portal shows it next to the Value. */
export const clientSecretField = z
  .string()
  .meta({ description: 'The Value of the client secret, not its Secret ID.' })
  .trim()
  .min(1)
  .max(SECRET_MAX_LENGTH)
  .superRefine((text, context) => {
    if (!isSecretId(text)) return;
    const { sentence, fix, link } = causes.secret_id_pasted;
    context.addIssue({
      code: 'custom',
      message: `secret_id_pasted: ${sentence} ${fix}`,
      params: { members: { cause: 'secret_id_pasted', fix, link } },
    });
  })
  .transform((text) => new Secret(text));

/** @param hasCloud whether this deployment is configured to reach the cloud */
export function cloudField(hasCloud: (cloud: Cloud) => boolean) {
  return z.enum(clouds).refine(hasCloud, 'is not available in this deployment');
}
