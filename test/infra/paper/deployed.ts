import { type Deployment, deployOnPaper, type Resource } from './deploy.ts';

/** What azd asks everyone for. */
const asked = { environmentName: 'prod', location: 'westeurope', principalId: 'deployer' };

/** A deployment of `infra/` with these parameters, and the defaults of the others. */
export function deployed(params: Record<string, unknown> = {}): Deployment {
  return deployOnPaper('infra/main.bicep', { ...asked, ...params });
}

export function allOf({ resources }: Deployment, type: string): Resource[] {
  return resources.filter((resource) => resource.type === type);
}

/** The only resource with this type, and with this name if one is given. */
export function oneOf(deployment: Deployment, type: string, name?: RegExp): Resource {
  const [found, ...more] = allOf(deployment, type).filter((one) => name?.test(one.name) ?? true);
  if (!found || more.length > 0) throw new Error(`not exactly one ${type} ${name ?? ''}`);
  return found;
}

export function appSettings(deployment: Deployment): Record<string, string> {
  return oneOf(deployment, 'Microsoft.Web/sites/config', /^appsettings$/).body.properties as Record<string, string>;
}

/**
 * The same value in short: names without the hash that makes them unique, ids without subscription and group.
 * `stdata0123456789abc` becomes `stdata*`.
 */
export function brief<T>(deployment: Deployment, value: T): T {
  const token = oneOf(deployment, 'Microsoft.Web/sites').name.replace('func-', '');
  const group = oneOf(deployment, 'Microsoft.Resources/resourceGroups').id;
  return JSON.parse(JSON.stringify(value).replaceAll(token, '*').replaceAll(`${group}/providers/`, ''));
}
