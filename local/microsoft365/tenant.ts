import { createAddressSet } from './address-set.ts';
import { CallWindow } from './call-window.ts';
import { Directory, type Entry } from './directory.ts';
import { createPropagation, type Propagation } from './propagation.ts';
import type { ScenarioApp, ScenarioTenant } from './scenario.ts';
import { createSeeded } from './seeded.ts';
import { credentialName, stableGuid } from './token-issuer.ts';

interface Scope {
  permissions: readonly string[];
  holds(entry: Entry): boolean;
}

/** An app as one tenant knows it: its registration, its service principal and what Exchange lets it do. */
export class TenantApp {
  readonly scenario: ScenarioApp;
  /** The service principal's object id. */
  readonly objectId: string;
  readonly propagation: Propagation;
  /** For the limit per app and tenant. */
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

  /** Application permissions that count now: those of a consent that was given. */
  get grants(): readonly string[] {
    return this.scenario.consent === 'granted' ? this.scenario.grants : [];
  }

  /** Whether RBAC for Applications permits it on the mailbox; no token tells of that. */
  hasRbac(permission: string, entry: Entry): boolean {
    return this.#scopes.some((scope) => scope.permissions.includes(permission) && scope.holds(entry));
  }

  /** Whether an application access policy keeps the Entra grants away from the mailbox. */
  isBlockedByPolicy(entry: Entry): boolean {
    return this.#isBlocked(entry);
  }

  /** Whether the credential of that name may still be used. */
  hasCredential(name: string, now: number): boolean {
    return (
      this.scenario.secrets.some((secret) => credentialName(secret.value) === name && !isExpired(secret, now)) ||
      this.scenario.certificates.some(({ thumbprint }) => credentialName(thumbprint.toLowerCase()) === name)
    );
  }
}

export function isExpired(secret: ScenarioApp['secrets'][number], now: number): boolean {
  return Boolean(secret.expiresAt) && Date.parse(secret.expiresAt ?? '') <= now;
}

/** `Application Mail.Send` or `Mail.Send`; the two roles that hold several permissions are taken apart. */
function permissionsOf(role: string): readonly string[] {
  const name = role.replace(/^Application\s+/i, '');
  if (/^Mail Full Access$/i.test(name)) return ['Mail.ReadWrite', 'Mail.Send'];
  if (/^Exchange Full Access$/i.test(name)) return ['Mail.ReadWrite', 'Mail.Send', 'MailboxSettings.Read'];
  return [name];
}

/** A matching deny wins, then a matching restriction grants; with restrictions and no match it is denied. */
function policyOf({ accessPolicy }: ScenarioApp, directory: Directory): (entry: Entry) => boolean {
  if (!accessPolicy) return () => false;
  const isDenied = createAddressSet(accessPolicy.deny ?? [], directory);
  const isWithin = accessPolicy.restrictTo ? createAddressSet(accessPolicy.restrictTo, directory) : () => true;
  return (entry) => isDenied(entry) || !isWithin(entry);
}

/** Whether a replaced tenant grants what it did, so that a propagation under way is not begun anew. */
function hasSameGrants(
  before: ScenarioTenant,
  beforeApp: ScenarioApp,
  after: ScenarioTenant,
  app: ScenarioApp,
): boolean {
  const shown = (tenant: ScenarioTenant, { consent, grants, rbac, accessPolicy }: ScenarioApp) =>
    JSON.stringify([tenant.propagation, tenant.grantsFreshSeconds, consent, grants, rbac, accessPolicy]);
  return shown(before, beforeApp) === shown(after, app);
}

/** A made-up tenant at work. */
export class Tenant {
  readonly scenario: ScenarioTenant;
  readonly directory: Directory;
  /** What decides, by a seed, which of the tenant's calls go wrong. */
  readonly chance: () => number;
  readonly #apps = new Map<string, TenantApp>();

  constructor(scenario: ScenarioTenant, loadedAt: number, before?: Tenant) {
    this.scenario = scenario;
    this.directory = new Directory(scenario);
    this.chance = createSeeded(scenario.faultRates?.seed ?? 1);
    for (const app of scenario.apps) {
      const earlier = before?.app(app.clientId);
      const running = earlier && before && hasSameGrants(before.scenario, earlier.scenario, scenario, app);
      const propagation = running ? earlier.propagation : createPropagation(scenario, loadedAt);
      this.#apps.set(app.clientId.toLowerCase(), new TenantApp(scenario, app, this.directory, propagation));
    }
  }

  get id(): string {
    return this.scenario.id;
  }

  app(clientId: string): TenantApp | undefined {
    return this.#apps.get(clientId.toLowerCase());
  }

  /** What an admin's yes does: the service principal is made and the permissions are granted, from now on. */
  consent(app: TenantApp, now: number): void {
    if (app.scenario.consent === 'granted') return;
    app.scenario.consent = 'granted';
    app.propagation.startOver(now);
  }
}
