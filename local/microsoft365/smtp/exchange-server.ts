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
import { pause } from '../pause.ts';
import { OpenConnections } from '../protocols/open-connections.ts';
import { traceOf } from '../protocols/protocol-caller.ts';
import { slownessOf } from '../protocols/protocol-faults.ts';
import type { World } from '../world.ts';
import { ExchangeConnection } from './exchange-connection.ts';
import { notAuthenticated, type SmtpReply, serverName, tooLarge } from './replies.ts';
import {
  authenticate,
  refusedPassword,
  refusedRecipient,
  refusedSender,
  type Submitter,
  submitMessage,
} from './submission.ts';

/** Exchange Online accepts messages of up to 150 MB. */
const MESSAGE_BYTES_MAX = 157_286_400;

/** The longest line of a sign-in: https://www.rfc-editor.org/rfc/rfc4954#section-4 */
const CREDENTIALS_BYTES_MAX = 12_288;

/** What the server knows about one client. The library's hooks only pass the session. */
interface Client {
  connection: ExchangeConnection;
  submitter?: Submitter;
  /** The connection no longer counts towards the mailbox's limit. */
  release?: () => void;
}

type Done = (error?: Error | null) => void;

/** The simulated smtp.office365.com:587: STARTTLS, XOAUTH2, and Exchange's replies. */
export class ExchangeSmtpServer extends SMTPServer {
  readonly #world: World;
  readonly #openConnections = new OpenConnections();
  readonly #clients = new WeakMap<SMTPServerSession, Client>();

  constructor(world: World, tls: { cert: string; key: string }) {
    super({
      cert: tls.cert,
      key: tls.key,
      name: serverName,
      heloResponse: '%s Hello %s',
      size: MESSAGE_BYTES_MAX,
      maxCommandLength: CREDENTIALS_BYTES_MAX,
      authMethods: ['LOGIN', 'XOAUTH2'],
      // MAIL FROM before AUTH reaches `onMailFrom`, which refuses with Exchange's wording.
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
    // A client can disconnect at any time, even in the middle of a message.
    connection.on('error', () => connection.close());
    connection.onCommandDone = ({ method, route, status, trace }) => {
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
      if (auth.method !== 'XOAUTH2') return callback(asError(refusedPassword(this.#world, user)));
      await pause(this.#world.latencyMs);
      const { caller, outcome } = await authenticate(this.#world, user, auth.accessToken ?? '');
      client.connection.trace = traceOf('smtp', caller);
      await pause(slownessOf('smtp', caller?.entry));
      if ('broken' in outcome) return client.connection.breakOff(outcome.broken);
      if ('refused' in outcome) return callback(asError(outcome.refused));
      const { passed } = outcome;
      if (client.connection._socket.destroyed) return;
      client.submitter = passed;
      client.release = this.#openConnections.add(passed.caller.tenant, passed.entry);
      callback(null, { user: passed.entry.address });
    });
  }

  override onMailFrom(address: SMTPServerAddress, session: SMTPServerSession, callback: Done): void {
    this.#step(session, callback, async (submitter) => {
      await pause(slownessOf('smtp', submitter.entry));
      return refusedSender(this.#world, submitter, address.address);
    });
  }

  override onRcptTo(_address: SMTPServerAddress, session: SMTPServerSession, callback: Done): void {
    this.#step(session, callback, async (submitter) => refusedRecipient(this.#world, submitter));
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
      if (submitter.dropsNext) return connection.breakOff('drop');
      const refused = stream.sizeExceeded
        ? tooLarge
        : submitMessage(this.#world, this.#openConnections, submitter, { mime, recipients });
      if (refused) return callback(asError(refused));
      callback(null, `2.0.0 OK <${session.id}@${serverName}> [Hostname=${serverName}]`);
    });
  }

  override onClose(session: SMTPServerSession): void {
    this.#clients.get(session)?.release?.();
  }

  #step(
    session: SMTPServerSession,
    callback: Done,
    check: (submitter: Submitter) => Promise<SmtpReply | undefined>,
  ): void {
    this.#within(session, callback, async ({ connection, submitter }) => {
      await pause(this.#world.latencyMs);
      if (!submitter) return callback(asError(notAuthenticated));
      if (submitter.dropsNext) return connection.breakOff('drop');
      const refused = await check(submitter);
      callback(refused ? asError(refused) : null);
    });
  }

  /** Makes a defect of the simulator visible, and different from any fault that a scenario can ask for. */
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

/** Resolves to `undefined` if the client disconnects in the middle of the message. */
async function collect(stream: SMTPServerDataStream): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}
