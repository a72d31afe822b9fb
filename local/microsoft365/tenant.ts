import { createAddressSet } from './address-set.ts';
import { CallWindow } from './call-window.ts';
import { Directory, type Entry } from './directory.ts';
import { createPropagation, type Propagation } from './propagation.ts';
import { defaultPeople, type ScenarioPerson } from './scenario/person.ts';
import type { ScenarioApp, ScenarioTenant } from './scenario.ts';
import { createSeeded } from './seeded.ts';
import { credentialName, stableGuid } from './token-issuer.ts';
import { UserChanges } from './user-changes.ts';

interface Scope {
  permissions: readonly string[];
  holds(entry: Entry): boolean;
}

/** An app in one tenant: its registration, its service principal and its rights in Exchange. */
export class TenantApp {
  readonly scenario: ScenarioApp;
  /** The object id of the service principal. */
  readonly objectId: string;
  readonly propagation: Propagation;
  /** For the rate limit per app and tenant. */
  readonly calls = new CallWindow();
  readonly #scopes: Scope[];
  readonly #isBlocked: (entry: Entry) => boolean;

  constructor(tenant: ScenarioTenant, scenario: ScenarioApp, directory: Directory, propagation: Propagation) {
    this.scenario = scenario;
    this.objectId = stableGuid(tenant.id, 'servicePrincipal', scenario.clientId);
    this.propagation = propagation;
    this.#scopes = scenario.rbac.map((assignment) => {
      const isMember = assignment.members ? createAddressSet(assignment.members, directory) : () => true;
      const isExcepted = createAddressSet(assignment.except ?? [], directory);
      return {
        permissions: permissionsOf(assignment.role),
        holds: (entry) => isMember(entry) && !isExcepted(entry),
      };
    });
    this.#isBlocked = policyOf(scenario, directory);
  }

  /** The application permissions that the tenant has consented to. */
  get grants(): readonly string[] {
    return this.scenario.consent === 'granted' ? this.scenario.grants : [];
  }

  /** Whether RBAC for Applications grants the permission on the mailbox. Tokens do not show such grants. */
  hasRbac(permission: string, entry: Entry): boolean {
    return this.#scopes.some((scope) => scope.permissions.includes(permission) && scope.holds(entry));
  }

  /** Whether an application access policy blocks the Entra grants on the mailbox. */
  isBlockedByPolicy(entry: Entry): boolean {
    return this.#isBlocked(entry);
  }

  /** Whether the credential exists and has not expired. */
  hasCredential(name: string, now: number): boolean {
    return (
      this.scenario.secrets.some((secret) => credentialName(secret.value) === name && !isExpired(secret, now)) ||
      this.scenario.certificates.some(({ thumbprint }) => credentialName(thumbprint.toLowerCase()) === name) ||
      (this.scenario.trustsDeployment && name === deploymentCredential)
    );
  }
}

/** The name of the federated credential that trusts the deployment's identity. */
export const deploymentCredential = credentialName('the identity of the deployment');

export function isExpired(secret: ScenarioApp['secrets'][number], now: number): boolean {
  return Boolean(secret.expiresAt) && Date.parse(secret.expiresAt ?? '') <= now;
}

/** The permissions of an RBAC role, written as `Application Mail.Send` or `Mail.Send`. Two roles hold several. */
function permissionsOf(role: string): readonly string[] {
  const name = role.replace(/^Application\s+/i, '');
  if (/^Mail Full Access$/i.test(name)) return ['Mail.ReadWrite', 'Mail.Send'];
  if (/^Exchange Full Access$/i.test(name)) return ['Mail.ReadWrite', 'Mail.Send', 'MailboxSettings.Read'];
  return [name];
}

/** A matching deny wins. With a restriction, only its mailboxes are allowed. */
function policyOf({ accessPolicy }: ScenarioApp, directory: Directory): (entry: Entry) => boolean {
  if (!accessPolicy) return () => false;
  const isDenied = createAddressSet(accessPolicy.deny ?? [], directory);
  const isWithin = accessPolicy.restrictTo ? createAddressSet(accessPolicy.restrictTo, directory) : () => true;
  return (entry) => isDenied(entry) || !isWithin(entry);
}

/** Whether the new version of a tenant has the same grants. If so, a running propagation continues. */
function hasSameGrants(
  before: ScenarioTenant,
  beforeApp: ScenarioApp,
  after: ScenarioTenant,
  app: ScenarioApp,
): boolean {
  const grantsOf = (tenant: ScenarioTenant, { consent, grants, rbac, accessPolicy }: ScenarioApp) =>
    JSON.stringify([tenant.propagation, tenant.grantsFreshSeconds, consent, grants, rbac, accessPolicy]);
  return grantsOf(before, beforeApp) === grantsOf(after, app);
}

/** A simulated tenant. */
export class Tenant {
  readonly scenario: ScenarioTenant;
  readonly directory: Directory;
  /** How the users have changed since the tenant was first loaded, for delta queries. */
  readonly userChanges: UserChanges;
  /** Seeded random numbers that decide which of the tenant's calls fail. */
  readonly chance: () => number;
  readonly #apps = new Map<string, TenantApp>();

  constructor(scenario: ScenarioTenant, loadedAt: number, before?: Tenant) {
    this.scenario = scenario;
    this.directory = new Directory(scenario);
    this.userChanges = before?.userChanges ?? new UserChanges();
    if (before) this.userChanges.record(before.directory, this.directory);
    this.chance = createSeeded(scenario.faultRates?.seed ?? 1);
    for (const app of scenario.apps) {
      const earlier = before?.app(app.clientId);
      const isUnchanged = earlier && before && hasSameGrants(before.scenario, earlier.scenario, scenario, app);
      const propagation = isUnchanged ? earlier.propagation : createPropagation(scenario, loadedAt);
      this.#apps.set(app.clientId.toLowerCase(), new TenantApp(scenario, app, this.directory, propagation));
    }
  }

  get id(): string {
    return this.scenario.id;
  }

  /** What Entra's clock shows. */
  get entraNow(): Date {
    return new Date(Date.now() + this.scenario.clockOffsetSeconds * 1000);
  }

  /** Who can sign in. */
  get people(): readonly ScenarioPerson[] {
    return this.scenario.people ?? defaultPeople(this.scenario.domains[0] ?? '');
  }

  /** A person who has a mailbox is that user of the directory. */
  objectIdOf({ upn }: ScenarioPerson): string {
    return this.directory.byAddress(upn)?.id ?? stableGuid(this.id, 'person', upn);
  }

  app(clientId: string): TenantApp | undefined {
    return this.#apps.get(clientId.toLowerCase());
  }

  /** Records that an admin has consented: the app's permissions count from now on. */
  consent(app: TenantApp, now: number): void {
    if (app.scenario.consent === 'granted') return;
    app.scenario.consent = 'granted';
    app.propagation.startOver(now);
  }
}
