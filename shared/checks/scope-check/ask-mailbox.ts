import type { CauseCode } from '../../causes/causes.ts';
import type { Probe } from '../../causes/verdict.ts';
import type { Connection } from '../../connections/connection.ts';
import type { ScopedMailbox, ScopeFinding, ScopePermission } from '../../connections/grants/scope-check.ts';
import type { Audience } from '../../connections/tokens.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { Answer, MailboxAccess } from '../answer.ts';
import { cleanMailbox } from '../clean-mailbox.ts';
import type { GraphMail } from '../graph-mail.ts';
import type { ProtocolMail } from '../protocol-mail.ts';
import type { OffLimitsMail } from './off-limits-mail.ts';
import { readProtocol, readRights, readSend } from './read-rights.ts';

export interface AskMailboxDeps {
  offLimitsMail: OffLimitsMail;
  graph: Pick<GraphMail, 'clear'>;
  protocols: ProtocolMail;
}

/** The tokens of a connection. Without one for Exchange Online, IMAP and SMTP are not asked. */
export type ScopeTokens = Partial<Record<Audience, Secret>>;

/**
 * What a scope check of a connection asks. Graph always, because the app may have grants there that the connection does
 * not use.
 */
export function permissionsFor(probes: readonly Probe[]): ScopePermission[] {
  return [
    ...(['Mail.Read', 'Mail.ReadWrite', 'Mail.Send'] as const),
    ...(probes.includes('imap') ? ['IMAP.AccessAsApp' as const] : []),
    ...(probes.includes('smtp') ? ['SMTP.SendAsApp' as const] : []),
  ];
}

/** A mailbox that was not asked, for this reason. */
export function unasked({ probes }: Pick<Connection, 'probes'>, address: string, cause: CauseCode): ScopedMailbox {
  const findings = permissionsFor(probes).map((permission) => ({ permission, answer: 'inconclusive' as const, cause }));
  return { address, findings };
}

/** Asks about every right at one mailbox, without an effect. */
export async function askMailbox(
  deps: AskMailboxDeps,
  connection: Connection,
  address: string,
  tokens: ScopeTokens,
): Promise<{ findings: ScopeFinding[]; retryAfterSeconds?: number }> {
  const waits: number[] = [];
  const heard = (answer: Answer): Answer => {
    if (answer.kind === 'refused' && answer.refusal.retryAfterSeconds !== undefined) {
      waits.push(answer.refusal.retryAfterSeconds);
    }
    return answer;
  };
  const findings: ScopeFinding[] = [];
  const { graph, exchange } = tokens;
  if (graph) {
    const access = { cloud: connection.cloud, token: graph, address };
    const answers = await deps.offLimitsMail.ask(access);
    for (const answer of Object.values(answers)) heard(answer);
    const { read, write, send } = readRights(answers);
    const subject = `Muster scope check ${connection.id}`;
    findings.push(read, write, await askToSend(deps, access, send, heard, subject));
  }
  if (exchange) {
    const access = { cloud: connection.cloud, token: exchange, address };
    if (connection.probes.includes('imap')) {
      findings.push(readProtocol('IMAP.AccessAsApp', heard(await deps.protocols.imap(access))));
    }
    if (connection.probes.includes('smtp')) {
      findings.push(readProtocol('SMTP.SendAsApp', heard(await deps.protocols.smtp(access))));
    }
  }
  return { findings, ...(waits.length > 0 && { retryAfterSeconds: Math.max(...waits) }) };
}

/**
 * A refusal counts only if it is also the answer to the call that would be misused. Only an app that may send after all
 * can leave something there: what Exchange may have kept of the message is removed.
 */
async function askToSend(
  deps: AskMailboxDeps,
  access: MailboxAccess,
  seen: ScopeFinding,
  heard: (answer: Answer) => Answer,
  subject: string,
): Promise<ScopeFinding> {
  const isDecided = seen.answer !== 'refused' && seen.cause !== 'unknown_refusal';
  if (isDecided) return seen;
  const send = readSend(heard(await deps.offLimitsMail.sendToNobody(access, subject)));
  if (send.answer === 'allowed') await cleanMailbox(deps.graph, access, subject, 'drafts');
  return send;
}
