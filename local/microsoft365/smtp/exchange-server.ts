import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerAuthentication,
  type SMTPServerAuthenticationResponse,
  type SMTPServerDataStream,
  type SMTPServerSession,
} from 'smtp-server';
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js';
import { pause } from '../graph/mailbox-call.ts';
import { Places } from '../protocols/places.ts';
import { traceOf } from '../protocols/protocol-caller.ts';
import { slownessOf } from '../protocols/protocol-faults.ts';
import type { World } from '../world.ts';
import { ExchangeConnection } from './exchange-connection.ts';
import { notAuthenticated, type SmtpReply, serverName, tooLarge } from './replies.ts';
import { judgeMessage, judgePassword, judgeRecipient, judgeSender, judgeToken, type Submitter } from './submission.ts';

/** Exchange Online takes messages of 150 MB. */
const mostBytes = 157_286_400;

/** One client, as far as the library's hooks tell of it: they hand over the session. */
interface Client {
  connection: ExchangeConnection;
  submitter?: Submitter;
  /** Gives the place at the mailbox back. */
  leave?: () => void;
}

type Done = (error?: Error | null) => void;

/** The simulated smtp.office365.com:587: STARTTLS, XOAUTH2, Exchange's codes and words. */
export class ExchangeSmtpServer extends SMTPServer {
  readonly #world: World;
  readonly #places = new Places();
  readonly #clients = new WeakMap<SMTPServerSession, Client>();

  constructor(world: World, tls: { cert: string; key: string }) {
    super({
      cert: tls.cert,
      key: tls.key,
      name: serverName,
      heloResponse: '%s Hello %s',
      size: mostBytes,
      authMethods: ['LOGIN', 'XOAUTH2'],
      // MAIL FROM before AUTH is answered here, in Exchange's words.
      authOptional: true,
      hideENHANCEDSTATUSCODES: false,
      disableReverseLookup: true,
      logger: false,
    });
    this.#world = world;
  }

  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    const connection = new ExchangeConnection(this, socket, options);
    this.connections.add(connection);
    this.#clients.set(connection.session, { connection });
    // A client that breaks off has gone, in mid-message too.
    connection.on('error', () => connection.close());
    connection.onStep = ({ method, route, status, trace }) => {
      this.#world.requests.count('smtp', method, route, status);
      this.#world.requests.log(method, status, { ...trace, route });
    };
    connection.init();
  }

  override onAuth(
    auth: SMTPServerAuthentication,
    session: SMTPServerSession,
    callback: (error: Error | null | undefined, response?: SMTPServerAuthenticationResponse) => void,
  ): void {
    this.#within(session, callback, async (client) => {
      const user = auth.username ?? '';
      if (auth.method !== 'XOAUTH2') return callback(asError(judgePassword(this.#world, user)));
      await pause(this.#world.latencyMs);
      const { caller, outcome } = await judgeToken(this.#world, user, auth.accessToken ?? '');
      client.connection.trace = traceOf('smtp', caller);
      await pause(slownessOf('smtp', caller?.entry));
      if ('fate' in outcome) return client.connection.suffer(outcome.fate);
      if ('refused' in outcome) return callback(asError(outcome.refused));
      const { passed } = outcome;
      if (client.connection._socket.destroyed) return;
      client.submitter = passed;
      client.leave = this.#places.take(passed.caller.tenant, passed.entry);
      callback(null, { user: passed.entry.address });
    });
  }

  override onMailFrom(address: SMTPServerAddress, session: SMTPServerSession, callback: Done): void {
    this.#step(session, callback, async (submitter) => {
      await pause(slownessOf('smtp', submitter.entry));
      return judgeSender(this.#world, submitter, address.address);
    });
  }

  override onRcptTo(_address: SMTPServerAddress, session: SMTPServerSession, callback: Done): void {
    this.#step(session, callback, async (submitter) => judgeRecipient(this.#world, submitter));
  }

  override onData(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    callback: (error?: Error | null, message?: string) => void,
  ): void {
    const recipients = session.envelope.rcptTo.map(({ address }) => address);
    this.#within(session, callback, async ({ connection, submitter }) => {
      const mime = await collect(stream);
      if (!mime) return;
      if (!submitter) return callback(asError(notAuthenticated));
      await pause(this.#world.latencyMs);
      if (submitter.isDoomed) return connection.suffer('drop');
      const refused = stream.sizeExceeded
        ? tooLarge
        : judgeMessage(this.#world, this.#places, submitter, { mime, recipients });
      if (refused) return callback(asError(refused));
      callback(null, `2.0.0 OK <${session.id}@${serverName}> [Hostname=${serverName}]`);
    });
  }

  override onClose(session: SMTPServerSession): void {
    this.#clients.get(session)?.leave?.();
  }

  #step(
    session: SMTPServerSession,
    callback: Done,
    judge: (submitter: Submitter) => Promise<SmtpReply | undefined>,
  ): void {
    this.#within(session, callback, async ({ connection, submitter }) => {
      await pause(this.#world.latencyMs);
      if (!submitter) return callback(asError(notAuthenticated));
      if (submitter.isDoomed) return connection.suffer('drop');
      const refused = await judge(submitter);
      callback(refused ? asError(refused) : null);
    });
  }

  /** A defect of the simulator must be seen, and must not look like a fault that a scenario asked for. */
  #within(
    session: SMTPServerSession,
    callback: (error: Error) => void,
    answer: (client: Client) => Promise<void>,
  ): void {
    const client = this.#clients.get(session);
    if (!client) return;
    answer(client).catch((error: unknown) => {
      process.stderr.write(`simulated SMTP: ${error instanceof Error ? error.stack : String(error)}\n`);
      callback(asError({ code: 451, text: '4.3.0 simulator defect' }));
    });
  }
}

function asError({ code, text }: SmtpReply): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

/** `undefined`: the client went away in the middle of the message. */
async function collect(stream: SMTPServerDataStream): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}
