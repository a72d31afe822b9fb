import { LRUCache } from 'lru-cache';
import type { MailboxFault, ScenarioMailbox, ScenarioRecipient, ScenarioTenant } from './scenario.ts';
import { stableGuid } from './token-issuer.ts';

/** An object of a tenant's directory that has an address: a mailbox or another recipient. */
export interface Entry {
  id: string;
  /** The primary SMTP address. */
  address: string;
  upn: string;
  displayName: string;
  kind: ScenarioMailbox['kind'] | ScenarioRecipient['kind'];
  aliases: readonly string[];
  imap: boolean;
  /** `undefined`: the tenant's setting decides. */
  smtpAuth: boolean | undefined;
  fullAccess: readonly string[];
  fault: MailboxFault;
  members: readonly string[];
  groupType: ScenarioRecipient['groupType'];
  /** The error code that Graph answers instead of the usual one for this kind. */
  code: string | undefined;
}

const mailboxKinds = new Set<Entry['kind']>(['user', 'shared', 'room', 'equipment', 'disabled']);
const directoryUsers = new Set<Entry['kind']>([
  'user',
  'shared',
  'room',
  'equipment',
  'disabled',
  'guest',
  'onPremises',
  'unlicensed',
]);

/** Whether Exchange Online has a mailbox for it. A disabled account still has one, which refuses all access. */
export const hasMailbox = (entry: Entry): boolean => mailboxKinds.has(entry.kind);
export const isDirectoryUser = (entry: Entry): boolean => directoryUsers.has(entry.kind);

interface Template {
  prefix: string;
  suffix: string;
}

interface Block {
  mailbox: ScenarioMailbox;
  count: number;
  idPrefix: string;
  templates: Template[];
}

/**
 * All objects of one tenant that have an address. Generated mailboxes are made on request, so a hundred thousand of them
 * cost nothing.
 */
export class Directory {
  readonly #byAddress = new Map<string, Entry>();
  readonly #byUpn = new Map<string, Entry>();
  readonly #byId = new Map<string, Entry>();
  readonly #explicit: Entry[] = [];
  readonly #blocks: Block[] = [];
  readonly #generated = new LRUCache<string, Entry>({ max: 50_000 });

  constructor(tenant: ScenarioTenant) {
    for (const mailbox of tenant.mailboxes) {
      if (mailbox.generate === undefined) this.#add(fromMailbox(mailbox, tenant.id));
      else this.#blocks.push(blockOf(mailbox, mailbox.generate, tenant.id));
    }
    for (const recipient of tenant.recipients) this.#add(fromRecipient(recipient, tenant));
  }

  byId(id: string): Entry | undefined {
    const known = this.#byId.get(id.toLowerCase());
    if (known) return known;
    const block = this.#blocks.find(({ idPrefix }) => id.toLowerCase().startsWith(idPrefix));
    if (!block) return undefined;
    const n = Number.parseInt(id.slice(block.idPrefix.length), 16);
    return this.#inBlock(block, n);
  }

  byUpn(upn: string): Entry | undefined {
    const known = this.#byUpn.get(upn.toLowerCase());
    if (known) return known;
    const generated = this.#generatedBy(upn);
    return generated && generated.upn.toLowerCase() === upn.toLowerCase() ? generated : undefined;
  }

  /** Finds an entry by primary address, alias or UPN, as Exchange does. */
  byAddress(address: string): Entry | undefined {
    return this.#byAddress.get(address.toLowerCase()) ?? this.byUpn(address) ?? this.#generatedBy(address);
  }

  /** The number of entries that `users()` yields. */
  get userCount(): number {
    const explicit = this.#explicit.filter(isDirectoryUser).length;
    return this.#blocks.reduce((sum, block) => sum + block.count, explicit);
  }

  /** Yields directory users in a fixed order, without the first `skip`. */
  *users(skip = 0): Generator<Entry> {
    let left = skip;
    for (const entry of this.#explicit) {
      if (!isDirectoryUser(entry)) continue;
      if (left > 0) left -= 1;
      else yield entry;
    }
    for (const block of this.#blocks) {
      if (left >= block.count) {
        left -= block.count;
        continue;
      }
      for (let n = left + 1; n <= block.count; n += 1) {
        const entry = this.#inBlock(block, n);
        if (entry) yield entry;
      }
      left = 0;
    }
  }

  /** The ids of the users that differ from another version of the directory, or are in only one of the two. */
  *idsThatMayDiffer(other: Directory): Generator<string> {
    for (const { id } of [...this.#explicit, ...other.#explicit]) yield id;
    const blocks = [...this.#blocks, ...other.#blocks];
    for (const { idPrefix } of new Map(blocks.map((block) => [block.idPrefix, block])).values()) {
      const [mine, theirs] = [this, other].map((one) => one.#blocks.find((block) => block.idPrefix === idPrefix));
      const isSame = JSON.stringify(mine?.mailbox, ignoreCount) === JSON.stringify(theirs?.mailbox, ignoreCount);
      const from = isSame ? Math.min(mine?.count ?? 0, theirs?.count ?? 0) : 0;
      const to = Math.max(mine?.count ?? 0, theirs?.count ?? 0);
      for (let n = from + 1; n <= to; n += 1) yield idInBlock(idPrefix, n);
    }
  }

  ofKind(kind: Entry['kind']): Entry[] {
    return this.#explicit.filter((entry) => entry.kind === kind);
  }

  #add(entry: Entry): void {
    this.#explicit.push(entry);
    this.#byId.set(entry.id, entry);
    this.#byUpn.set(entry.upn.toLowerCase(), entry);
    for (const address of [entry.address, ...entry.aliases]) this.#byAddress.set(address.toLowerCase(), entry);
  }

  #generatedBy(address: string): Entry | undefined {
    const lower = address.toLowerCase();
    for (const block of this.#blocks) {
      for (const { prefix, suffix } of block.templates) {
        if (!lower.startsWith(prefix) || !lower.endsWith(suffix)) continue;
        const digits = lower.slice(prefix.length, lower.length - suffix.length);
        if (!/^[1-9]\d{0,8}$/.test(digits)) continue;
        const entry = this.#inBlock(block, Number(digits));
        if (entry) return entry;
      }
    }
    return undefined;
  }

  #inBlock(block: Block, n: number): Entry | undefined {
    if (!(n >= 1 && n <= block.count)) return undefined;
    const id = idInBlock(block.idPrefix, n);
    const known = this.#generated.get(id);
    if (known) return known;
    const numbered = (text: string) => text.replaceAll('{n}', String(n));
    const { mailbox } = block;
    const entry = fromMailbox(
      {
        ...mailbox,
        address: numbered(mailbox.address),
        ...(mailbox.upn === undefined ? {} : { upn: numbered(mailbox.upn) }),
        displayName: numbered(mailbox.displayName ?? numbered(mailbox.address).split('@')[0] ?? ''),
        aliases: mailbox.aliases.map(numbered),
        id,
      },
      '',
    );
    this.#generated.set(id, entry);
    return entry;
  }
}

const idInBlock = (idPrefix: string, n: number): string => `${idPrefix}${n.toString(16).padStart(12, '0')}`;
const ignoreCount = (name: string, value: unknown): unknown => (name === 'generate' ? undefined : value);

function blockOf(mailbox: ScenarioMailbox, count: number, tenantId: string): Block {
  const addresses = [mailbox.address, ...(mailbox.upn === undefined ? [] : [mailbox.upn]), ...mailbox.aliases];
  return {
    mailbox,
    count,
    idPrefix: stableGuid(tenantId, mailbox.address).slice(0, 24),
    templates: addresses.map((address) => {
      const [prefix = '', suffix = ''] = address.toLowerCase().split('{n}');
      return { prefix, suffix };
    }),
  };
}

function fromMailbox(mailbox: ScenarioMailbox, tenantId: string): Entry {
  return {
    id: mailbox.id?.toLowerCase() ?? stableGuid(tenantId, mailbox.address),
    address: mailbox.address,
    upn: mailbox.upn ?? mailbox.address,
    displayName: mailbox.displayName ?? mailbox.address.split('@')[0] ?? mailbox.address,
    kind: mailbox.kind,
    aliases: mailbox.aliases,
    imap: mailbox.imap,
    smtpAuth: mailbox.smtpAuth ?? undefined,
    fullAccess: mailbox.fullAccess,
    fault: mailbox.fault,
    members: [],
    groupType: 'distribution',
    code: undefined,
  };
}

function fromRecipient(recipient: ScenarioRecipient, tenant: ScenarioTenant): Entry {
  const guestName = `${recipient.address.replace('@', '_')}#EXT#@${tenant.domains[0] ?? ''}`;
  return {
    id: recipient.id?.toLowerCase() ?? stableGuid(tenant.id, recipient.address),
    address: recipient.address,
    upn: recipient.upn ?? (recipient.kind === 'guest' ? guestName : recipient.address),
    displayName: recipient.displayName ?? recipient.address.split('@')[0] ?? recipient.address,
    kind: recipient.kind,
    aliases: recipient.aliases,
    imap: false,
    smtpAuth: undefined,
    fullAccess: [],
    fault: null,
    members: recipient.members,
    groupType: recipient.groupType,
    code: recipient.code,
  };
}
