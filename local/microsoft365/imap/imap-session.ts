import type { TLSSocket } from 'node:tls';
import { pause } from '../pause.ts';
import type { OpenConnections } from '../protocols/open-connections.ts';
import { type ProtocolCaller, traceOf } from '../protocols/protocol-caller.ts';
import { type BrokenReply, garbageReply, slownessOf } from '../protocols/protocol-faults.ts';
import type { World } from '../world.ts';
import { type Argument, type ImapCommand, readCommand } from './command-parser.ts';
import { findFolder } from './folders.ts';
import { LineReader } from './line-reader.ts';
import { mailboxCommands } from './mailbox-commands.ts';
import {
  authenticateFailed,
  bad,
  basicDisabled,
  httpStatusOf,
  type ImapReply,
  notConnected,
  ok,
  replyToFailedSignIn,
  unknownCommand,
  wrongArguments,
  wrongState,
} from './replies.ts';
import { refusedFolder, type SignedIn, signIn } from './sign-in.ts';

const capabilities = 'IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+';
const serverId = '("name" "Microsoft.Exchange.Imap4.Imap4Server" "version" "15.20")';

/** The commands that the request log may name. Anything else could contain a secret. */
const loggedCommands = new Set([
  ...['CAPABILITY', 'ID', 'NOOP', 'LOGOUT', 'AUTHENTICATE', 'LOGIN', 'IDLE', 'STARTTLS'],
  ...Object.keys(mailboxCommands),
  ...['FETCH', 'SEARCH', 'UID', 'STORE', 'COPY', 'MOVE', 'APPEND', 'EXPUNGE', 'CREATE', 'DELETE', 'RENAME'],
  ...['SUBSCRIBE', 'UNSUBSCRIBE'],
]);

/** The conversation with one client, from the greeting to the end of the connection. */
export class ImapSession {
  readonly #world: World;
  readonly #socket: TLSSocket;
  readonly #connections: OpenConnections;
  readonly #reader: LineReader;
  #caller: ProtocolCaller | undefined;
  #signedIn: SignedIn | undefined;
  #selected: string | undefined;

  constructor(world: World, socket: TLSSocket, connections: OpenConnections) {
    this.#world = world;
    this.#socket = socket;
    this.#connections = connections;
    this.#reader = new LineReader(socket);
  }

  /** Resolves when the conversation is over. */
  async run(): Promise<void> {
    this.#write('* OK The Microsoft Exchange IMAP4 service is ready.');
    try {
      for (;;) {
        const command = await readCommand(this.#reader, (line) => this.#write(line));
        if (!command) break;
        const reply = await this.#answer(command);
        if (reply === undefined) break;
        this.#record(command, reply);
        if (typeof reply === 'string') return await this.#breakOff(reply);
        this.#send(command.tag, reply);
        if (reply.isLast) break;
      }
      this.#socket.end();
    } finally {
      this.#signedIn?.release();
    }
  }

  /** Resolves to `undefined` if the client disconnects in the middle of the command. */
  async #answer({ name, args }: ImapCommand): Promise<ImapReply | BrokenReply | undefined> {
    await pause(this.#world.latencyMs);
    if (this.#signedIn?.dropsNext) return 'drop';
    switch (name) {
      case 'CAPABILITY':
        return ok('CAPABILITY completed.', `CAPABILITY ${capabilities}`);
      case 'ID':
        return ok('ID completed', `ID ${serverId}`);
      case 'NOOP':
        return ok('NOOP completed.');
      case 'LOGOUT':
        return { ...ok('LOGOUT completed.', 'BYE Microsoft Exchange Server IMAP4 server signing off.'), isLast: true };
      case 'AUTHENTICATE':
        return this.#signedIn ? wrongState : await this.#authenticate(args);
      case 'LOGIN':
        return this.#signedIn ? wrongState : basicDisabled;
      case 'IDLE':
        return await this.#idle();
      default:
        return await this.#runOnMailbox(name, args);
    }
  }

  async #authenticate([mechanism, initial]: readonly Argument[]): Promise<ImapReply | BrokenReply | undefined> {
    if (typeof mechanism !== 'string' || Array.isArray(initial)) return wrongArguments;
    if (/^(PLAIN|LOGIN)$/i.test(mechanism)) return basicDisabled;
    if (!/^XOAUTH2$/i.test(mechanism)) return bad(`Unsupported authentication mechanism.`);
    if (initial === undefined) this.#write('+ ');
    const response = initial ?? (await this.#reader.line());
    if (response === undefined) return undefined;
    if (response === '*') return bad('The AUTH protocol exchange was canceled by the client.');
    const result = await signIn(this.#world, this.#connections, response);
    this.#caller = result.caller;
    await pause(slownessOf('imap', result.caller?.entry));
    if (result.kind === 'failed') return replyToFailedSignIn(result.failure);
    if (result.kind === 'refused') return result.reply ?? authenticateFailed;
    this.#signedIn = result.signedIn;
    return ok('AUTHENTICATE completed.');
  }

  async #idle(): Promise<ImapReply | undefined> {
    if (!this.#signedIn) return wrongState;
    if (!this.#signedIn.isConnected) return notConnected;
    this.#write('+ IDLE accepted, awaiting DONE command.');
    const line = await this.#reader.line();
    if (line === undefined) return undefined;
    return /^DONE$/i.test(line) ? ok('IDLE completed.') : unknownCommand;
  }

  async #runOnMailbox(name: string, args: readonly Argument[]): Promise<ImapReply> {
    const command = Object.hasOwn(mailboxCommands, name) ? mailboxCommands[name] : undefined;
    if (!command) return unknownCommand;
    if (!this.#signedIn) return wrongState;
    if (!this.#signedIn.isConnected) return notConnected;
    if (command.needsFolder && this.#selected === undefined) return wrongState;
    const { entry } = this.#signedIn;
    if (name === 'SELECT' || name === 'EXAMINE') {
      await pause(slownessOf('imap', entry));
      const refused = refusedFolder(this.#world, this.#signedIn);
      if (refused) return refused;
    }
    return command.run(
      {
        contents: () => this.#contents(),
        select: (path) => {
          this.#selected = path;
        },
      },
      args,
    );
  }

  #contents() {
    const { caller, entry } = this.#signedIn ?? {};
    return caller && entry ? this.#world.mail.peek(caller.tenant.id, entry.address) : undefined;
  }

  async #breakOff(how: BrokenReply): Promise<void> {
    if (how === 'hang') return await this.#reader.drain();
    if (how === 'garbage') this.#socket.end(garbageReply, 'latin1');
    else this.#socket.destroy();
  }

  #send(tag: string, { status, text, untagged = [] }: ImapReply): void {
    for (const line of untagged) this.#write(`* ${line}`);
    this.#write(`${status === 'BYE' ? '*' : tag} ${status} ${text}`);
  }

  #write(line: string): void {
    if (this.#socket.writable) this.#socket.write(`${line}\r\n`);
  }

  #record({ name, args }: ImapCommand, reply: ImapReply | BrokenReply): void {
    const method = loggedCommands.has(name) ? name : '(unknown)';
    const route = [method, this.#loggedArgument(method, args[0])].filter(Boolean).join(' ');
    const status = httpStatusOf(reply);
    this.#world.requests.count('imap', method, route, status);
    this.#world.requests.log(method, status, { ...traceOf('imap', this.#caller), route });
  }

  /** The command's first argument, if the request log may show it. */
  #loggedArgument(name: string, first: Argument | undefined): string | undefined {
    if (typeof first !== 'string') return undefined;
    if (name === 'AUTHENTICATE') return /^(XOAUTH2|PLAIN|LOGIN)$/i.test(first) ? first.toUpperCase() : '(other)';
    if (name !== 'SELECT' && name !== 'EXAMINE' && name !== 'STATUS') return undefined;
    return findFolder(undefined, first)?.path ?? '(other)';
  }
}
