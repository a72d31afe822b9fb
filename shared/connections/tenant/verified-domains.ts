import { domainToASCII } from 'node:url';

/** A property of a record holds 32,768 characters, in JSON. That is about 1,000 domains. */
const CHARACTERS_MAX = 30_000;

/**
 * The verified domains of a tenant as they are stored: in lower case and ASCII, as in addresses. `undefined` if there are
 * none, or too many to store. An incomplete list would make Muster reject mailboxes of the tenant.
 */
export function toVerifiedDomains(names: readonly string[] = []): string[] | undefined {
  const domains = [...new Set(names.map((name) => domainToASCII(name.trim()).toLowerCase()))].filter(Boolean);
  return domains.length > 0 && JSON.stringify(domains).length <= CHARACTERS_MAX ? domains : undefined;
}
