import { type Entry, hasMailbox } from './directory.ts';
import type { SentMessage } from './mail-store.ts';
import type { Tenant } from './tenant.ts';
import type { World } from './world.ts';

interface Submitted {
  subject: string;
  content: Record<string, unknown>;
  to: string[];
  via: SentMessage['via'];
  /** Whether a copy goes to Sent Items. */
  keepsCopy: boolean;
}

/**
 * Delivers a message to the recipients that the scenario has. If a recipient's domain belongs to a simulated tenant but
 * the address does not exist, the sender gets a non-delivery report.
 */
export function deliver(world: World, from: { tenant: Tenant; entry: Entry }, message: Submitted): void {
  const { tenant, entry } = from;
  const sender = { emailAddress: { name: entry.displayName, address: entry.address } };
  const content = { ...message.content, sender, from: sender };
  const own = world.mail.of(tenant.id, entry.address);
  own.sent.push({ subject: message.subject, to: message.to, at: new Date().toISOString(), via: message.via });
  if (entry.fault === 'sendVanishes') return;
  if (message.keepsCopy) own.put('sentitems', { subject: message.subject, isDraft: false, content });
  for (const address of message.to) {
    const found = world.find(address);
    if (found && hasMailbox(found.entry)) {
      const inbox = world.mail.of(found.tenant.id, found.entry.address);
      inbox.put('inbox', { subject: message.subject, isDraft: false, content });
    } else if (!found && world.tenant(address.split('@').at(-1) ?? '')) {
      own.put('inbox', { subject: `Undeliverable: ${message.subject}`, isDraft: false, content: {} });
    }
  }
}
