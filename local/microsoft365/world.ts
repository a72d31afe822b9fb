import type { Entry } from './directory.ts';
import { AuthorizationCodes } from './entra/authorization-codes.ts';
import { MailStore } from './mail-store.ts';
import { MailboxState } from './mailbox-state.ts';
import { RequestLedger } from './request-ledger.ts';
import type { Scenario, ScenarioTenant } from './scenario.ts';
import { Tenant } from './tenant.ts';
import { type TokenClaims, TokenIssuer } from './token-issuer.ts';

/** The operator's own tenant. Its one client gets tokens for Key Vault only. */
export interface HomeTenant {
  tenantId: string;
  clientId: string;
  clientSecret: string;
}

/** The state that Entra, Graph, IMAP and SMTP share. */
export class World {
  readonly latencyMs: number;
  readonly mail = new MailStore();
  readonly tokens = new TokenIssuer();
  readonly codes = new AuthorizationCodes();
  readonly requests = new RequestLedger();
  readonly home: HomeTenant | undefined;
  readonly #tenants = new Map<string, Tenant>();
  readonly #states = new Map<string, MailboxState>();
  /** The address of Entra and Graph. Set once the server listens. */
  url = '';

  constructor(scenario: Scenario, home?: HomeTenant) {
    this.latencyMs = scenario.latencyMs;
    this.home = home;
    for (const tenant of scenario.tenants) this.put(tenant);
  }

  /** Adds or replaces a tenant. Its messages stay, and a running propagation continues if the grants are the same. */
  put(scenario: ScenarioTenant): Tenant {
    const id = scenario.id.toLowerCase();
    const before = this.#tenants.get(id);
    const tenant = new Tenant(scenario, Date.now(), before);
    this.#tenants.set(id, tenant);
    for (const key of this.#states.keys()) if (key.startsWith(`${id} `)) this.#states.delete(key);
    return tenant;
  }

  /** Finds a tenant by its id or by one of its domains. */
  tenant(name: string): Tenant | undefined {
    const lower = name.toLowerCase();
    const known = this.#tenants.get(lower);
    if (known) return known;
    for (const tenant of this.#tenants.values()) {
      if (tenant.scenario.domains.some((domain) => domain.toLowerCase() === lower)) return tenant;
    }
    return undefined;
  }

  tenants(): Tenant[] {
    return [...this.#tenants.values()];
  }

  /** Finds an address in all tenants. */
  find(address: string): { tenant: Tenant; entry: Entry } | undefined {
    for (const tenant of this.#tenants.values()) {
      const entry = tenant.directory.byAddress(address) ?? tenant.directory.byId(address);
      if (entry) return { tenant, entry };
    }
    return undefined;
  }

  /**
   * Returns a token's claims, for services other than Graph.
   *
   * @throws Error unless the token was signed here for that audience, and neither it nor its credential has expired
   */
  async verifyToken(token: string, audience: string): Promise<TokenClaims> {
    const verified = await this.tokens.verify(token);
    if (!verified.ok) throw new Error(`The token is ${verified.why}.`);
    const { claims } = verified;
    if (claims.aud !== audience) throw new Error('The token is for another audience.');
    if (claims.tid.toLowerCase() === this.home?.tenantId.toLowerCase()) return claims;
    const app = this.tenant(claims.tid)?.app(claims.appid);
    if (!app) throw new Error('The tenant or the app of the token does not exist.');
    if (claims.xms_cred && !app.hasCredential(claims.xms_cred, Date.now())) throw new Error('The token was revoked.');
    return claims;
  }

  /** The running state of a mailbox: its running calls, and how often its fault has occurred. */
  state(tenant: Tenant, entry: Entry): MailboxState {
    const key = `${tenant.id.toLowerCase()} ${entry.address.toLowerCase()}`;
    const known = this.#states.get(key);
    if (known) return known;
    const fresh = new MailboxState(key);
    this.#states.set(key, fresh);
    return fresh;
  }
}
