import type { Entry } from './directory.ts';
import { MailStore } from './mail-store.ts';
import { MailboxState } from './mailbox-state.ts';
import { RequestLedger } from './request-ledger.ts';
import type { Scenario, ScenarioTenant } from './scenario.ts';
import { Tenant } from './tenant.ts';
import { type TokenClaims, TokenIssuer } from './token-issuer.ts';

/** The vendor's own tenant, whose one client may have tokens for the vault. */
export interface HomeTenant {
  tenantId: string;
  clientId: string;
  clientSecret: string;
}

/** Everything the simulated services share: Entra, Graph, IMAP and SMTP look at one world. */
export class World {
  readonly latencyMs: number;
  readonly mail = new MailStore();
  readonly tokens = new TokenIssuer();
  readonly requests = new RequestLedger();
  readonly home: HomeTenant | undefined;
  readonly #tenants = new Map<string, Tenant>();
  readonly #states = new Map<string, MailboxState>();
  /** Where it answers, known once it listens. */
  url = '';

  constructor(scenario: Scenario, home?: HomeTenant) {
    this.latencyMs = scenario.latencyMs;
    this.home = home;
    for (const tenant of scenario.tenants) this.put(tenant);
  }

  /** Replaces or adds a tenant; what lies in its mailboxes stays, and a propagation that runs goes on. */
  put(scenario: ScenarioTenant): Tenant {
    const id = scenario.id.toLowerCase();
    const before = this.#tenants.get(id);
    const tenant = new Tenant(scenario, Date.now(), before);
    this.#tenants.set(id, tenant);
    for (const key of this.#states.keys()) if (key.startsWith(`${id} `)) this.#states.delete(key);
    return tenant;
  }

  /** By id or by one of its domains. */
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

  /** The tenant and the entry that an address belongs to, in whichever tenant it is. */
  find(address: string): { tenant: Tenant; entry: Entry } | undefined {
    for (const tenant of this.#tenants.values()) {
      const entry = tenant.directory.byAddress(address) ?? tenant.directory.byId(address);
      if (entry) return { tenant, entry };
    }
    return undefined;
  }

  /**
   * What a token says, for a service that is not Graph.
   *
   * @throws Error unless it was signed here, is alive, is for that audience, and its credential still counts
   */
  async verifyToken(token: string, audience: string): Promise<TokenClaims> {
    const verified = await this.tokens.verify(token);
    if (!verified.ok) throw new Error(`The token is ${verified.why}.`);
    const { claims } = verified;
    if (claims.aud !== audience) throw new Error('The token is for another audience.');
    if (claims.tid.toLowerCase() === this.home?.tenantId.toLowerCase()) return claims;
    const app = this.tenant(claims.tid)?.app(claims.appid);
    if (!app) throw new Error('The token is of a tenant or an app that is not here.');
    if (claims.xms_cred && !app.hasCredential(claims.xms_cred, Date.now())) throw new Error('The token was revoked.');
    return claims;
  }

  /** What goes on at a mailbox right now: calls under way, how often its fault has struck. */
  state(tenant: Tenant, entry: Entry): MailboxState {
    const key = `${tenant.id.toLowerCase()} ${entry.address.toLowerCase()}`;
    const known = this.#states.get(key);
    if (known) return known;
    const fresh = new MailboxState(key);
    this.#states.set(key, fresh);
    return fresh;
  }
}
