import { json, type SimulatorReply, type SimulatorRequest } from '../http.ts';
import { type MailboxContents, purgesFolder, type StoredMessage } from '../mail-store.ts';
import { LOG_ENTRIES_MAX, type RequestCount } from '../request-ledger.ts';
import { Router } from '../router.ts';
import { parseTenant, ScenarioError } from '../scenario.ts';
import type { World } from '../world.ts';

/** Counts of services that the simulator is not part of. */
export interface ExtraCounts {
  counts(): RequestCount[] | Promise<RequestCount[]>;
  reset(): void | Promise<void>;
}

interface ControlCall {
  world: World;
  params: Record<string, string>;
  request: SimulatorRequest;
  extra: ExtraCounts;
}

type Handler = (call: ControlCall) => SimulatorReply | Promise<SimulatorReply>;

const notFound = (message: string) => json(404, { error: { code: 'notFound', message } });

const getTenant: Handler = ({ world, params }) => {
  const tenant = world.tenant(params.tenant ?? '');
  return tenant ? json(200, tenant.scenario) : notFound('There is no such tenant.');
};

const putTenant: Handler = ({ world, params, request }) => {
  const id = params.tenant ?? '';
  try {
    const scenario = parseTenant(JSON.parse(request.body.toString('utf8')));
    const faults = conflicts(world, world.tenant(id)?.id ?? id, scenario);
    if (faults.length > 0) throw new ScenarioError('The tenant', faults);
    return json(200, world.put(scenario).scenario);
  } catch (error) {
    if (error instanceof SyntaxError) return json(400, { error: { code: 'notJson', message: error.message } });
    if (!(error instanceof ScenarioError)) throw error;
    return json(400, { error: { code: 'invalidTenant', message: error.message, faults: error.faults } });
  }
};

function conflicts(world: World, id: string, tenant: { id: string; domains: string[] }): string[] {
  const faults: string[] = [];
  if (tenant.id.toLowerCase() !== id.toLowerCase()) faults.push('id: differs from the id in the path');
  for (const domain of tenant.domains) {
    const owner = world.tenant(domain);
    if (owner && owner.id.toLowerCase() !== tenant.id.toLowerCase()) {
      faults.push(`domains: ${domain} belongs to another tenant`);
    }
  }
  return faults;
}

const present = (message: StoredMessage) => ({
  id: message.key,
  subject: message.subject,
  isDraft: message.isDraft,
  createdAt: message.createdAt.toISOString(),
});

const getMailbox: Handler = ({ world, params }) => {
  const found = world.find(params.address ?? '');
  if (!found) return notFound('No mailbox has this address.');
  const contents = world.mail.peek(found.tenant.id, found.entry.address);
  const messagesIn = (folder: string) => contents?.in(folder).map(present) ?? [];
  return json(200, {
    address: found.entry.address,
    drafts: messagesIn('drafts'),
    inbox: messagesIn('inbox'),
    sent: contents?.sent ?? [],
    sentItems: messagesIn('sentitems'),
    deleted: messagesIn('deleteditems'),
    purges: messagesIn(purgesFolder),
    folders: [...(contents?.folders.values() ?? [])].map((folder) => ({
      id: folder.id,
      displayName: folder.displayName,
      isHidden: folder.isHidden,
      messages: messagesIn(folder.id),
    })),
  });
};

const ADDRESSES_MAX = 100;

interface Leftovers {
  drafts: number;
  inbox: number;
  deleted: number;
  sent: number;
  folders: number;
}

/** Purged items do not count: no client can reach them. */
const leftoversOf = (contents: MailboxContents): Leftovers => ({
  drafts: contents.in('drafts').length,
  inbox: contents.in('inbox').length,
  deleted: contents.in('deleteditems').length,
  sent: contents.sent.length,
  folders: contents.folders.size,
});

/**
 * What clients have left in all mailboxes. Every mailbox starts empty, so everything in it comes from a client.
 * The answer has the totals, and the first addresses that are not as they were at the start.
 */
const getLeftovers: Handler = ({ world }) => {
  const totals: Leftovers = { drafts: 0, inbox: 0, deleted: 0, sent: 0, folders: 0 };
  const addresses: string[] = [];
  for (const { address, contents } of world.mail.touched()) {
    const counts = leftoversOf(contents);
    for (const name of Object.keys(totals) as (keyof Leftovers)[]) totals[name] += counts[name];
    const isClean = Object.values(counts).every((count) => count === 0);
    if (!isClean && addresses.length < ADDRESSES_MAX) addresses.push(address);
  }
  return json(200, { ...totals, addresses });
};

/** The control routes. They need no key: nothing here is real, and the server listens on 127.0.0.1 only. */
export const controlRoutes = new Router<Handler>()
  .add('GET', '/_simulator/tenants', ({ world }) =>
    json(200, { items: world.tenants().map(({ scenario }) => scenario) }),
  )
  .add('GET', '/_simulator/tenants/{tenant}', getTenant)
  .add('PUT', '/_simulator/tenants/{tenant}', putTenant)
  .add('GET', '/_simulator/requests', async ({ world, extra }) =>
    json(200, { items: [...world.requests.counts(), ...(await extra.counts())] }),
  )
  .add('POST', '/_simulator/requests/reset', async ({ world, extra }) => {
    world.requests.reset();
    await extra.reset();
    return { status: 204 };
  })
  .add('GET', '/_simulator/log', ({ world, request }) =>
    json(200, {
      items: world.requests.entries(
        request.query.get('since') ?? undefined,
        Math.min(Number(request.query.get('limit') ?? 1000) || 1000, LOG_ENTRIES_MAX),
      ),
    }),
  )
  .add('GET', '/_simulator/leftovers', getLeftovers)
  .add('GET', '/_simulator/mailboxes/{address}', getMailbox);
