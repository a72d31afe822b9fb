import { isId, notFound, type PublicIdKind } from '../../kernel/ids.ts';

/** What kind of ID each parameter of a path holds. */
const idParams: Partial<Record<string, PublicIdKind>> = {
  customerId: 'cust',
  keyId: 'key',
  connectionId: 'conn',
  importId: 'imp',
  actionId: 'act',
  webhookId: 'hook',
  deliveryId: 'evt',
};

/**
 * Checks the parameters of a path where they enter, so that a text that is no ID never reaches storage.
 *
 * @throws DomainError `not_found`
 */
export function readParams(params: Record<string, string>): Record<string, string> {
  for (const [name, value] of Object.entries(params)) {
    const kind = idParams[name];
    if (kind && !isId(kind, value)) throw notFound(kind);
  }
  return params;
}
