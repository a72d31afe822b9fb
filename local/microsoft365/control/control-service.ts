import { json, type SimulatorReply, type SimulatorRequest } from '../http.ts';
import { purgesFolder, type StoredMessage } from '../mail-store.ts';
import type { RequestCount } from '../request-ledger.ts';
import { Router } from '../router.ts';
import { parseTenant, ScenarioError } from '../scenario.ts';
import type { World } from '../world.ts';

/** Counts of services that are not in this process, such as the storage's own access log. */
export interface ExtraCounts {
  counts(): RequestCount[] | Promise<RequestCount[]>;
  reset(): void | Promise<void>;
}

interface Asked {
  world: World;
  params: Record<string, string>;
  request: SimulatorRequest;
  extra: ExtraCounts;
}

type Handler = (asked: Asked) => SimulatorReply | Promise<SimulatorReply>;

const notFound = (what: string) => json(404, { error: { code: 'notFound', message: `No ${what} here.` } });

const getTenant: Handler = ({ world, params }) => {
  const tenant = world.tenant(params.tenant ?? '');
  return tenant ? json(200, tenant.scenario) : notFound('such tenant');
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
  if (tenant.id.toLowerCase() !== id.toLowerCase()) faults.push('id: differs from the path');
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
  if (!found) return notFound('mailbox of that address');
  const contents = world.mail.peek(found.tenant.id, found.entry.address);
  const lying = (folder: string) => contents?.in(folder).map(present) ?? [];
  return json(200, {
    address: found.entry.address,
    drafts: lying('drafts'),
    inbox: lying('inbox'),
    sent: contents?.sent ?? [],
    sentItems: lying('sentitems'),
    deleted: lying('deleteditems'),
    purges: lying(purgesFolder),
    folders: [...(contents?.folders.values() ?? [])].map((folder) => ({
      id: folder.id,
      displayName: folder.displayName,
      isHidden: folder.isHidden,
      messages: lying(folder.id),
    })),
  });
};

const mostNamed = 100;

/** A check's own mail, or what came back of it. */
const isOurs = ({ subject }: StoredMessage) => /^(Undeliverable: )?Muster /.test(subject);

/**
 * What lies about anywhere: drafts, deleted things, folders that were made, what was sent, and a check's own messages
 * in an inbox. Purges are out of reach and not counted.
 */
const getLeftovers: Handler = ({ world }) => {
  const totals = { drafts: 0, inbox: 0, deleted: 0, sent: 0, folders: 0 };
  const addresses: string[] = [];
  for (const { address, contents } of world.mail.touched()) {
    const counts: typeof totals = {
      drafts: contents.in('drafts').length,
      inbox: contents.in('inbox').filter(isOurs).length,
      deleted: contents.in('deleteditems').length,
      sent: contents.sent.length,
      folders: contents.folders.size,
    };
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += counts[name];
    const isClean = Object.values(counts).every((count) => count === 0);
    if (!isClean && addresses.length < mostNamed) addresses.push(address);
  }
  return json(200, { ...totals, addresses });
};

/** The control endpoints: no key, because nothing here is real and all of it is on 127.0.0.1. */
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
        Math.min(Number(request.query.get('limit') ?? 1000) || 1000, 20_000),
      ),
    }),
  )
  .add('GET', '/_simulator/leftovers', getLeftovers)
  .add('GET', '/_simulator/mailboxes/{address}', getMailbox);
