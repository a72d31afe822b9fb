import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { Trace } from '../http.ts';
import { type BrokenReply, garbageReply } from '../protocols/protocol-faults.ts';
import { toExchangeReply } from './exchange-wording.ts';

/** The commands that the request log may name. Anything else could contain a secret. */
const loggedCommands: Record<string, string> = {
  ...Object.fromEntries(
    ['HELO', 'EHLO', 'STARTTLS', 'AUTH', 'DATA', 'RSET', 'NOOP', 'QUIT', 'HELP', 'VRFY'].map((name) => [name, name]),
  ),
  MAIL: 'MAIL FROM',
  RCPT: 'RCPT TO',
};

/**
 * 512 octets with the line break. A token is longer, so it must follow the reply 334 on a line of its own.
 * https://www.rfc-editor.org/rfc/rfc4954#section-4
 */
const COMMAND_OCTETS_MAX = 510;

export type CommandRecorder = (command: {
  method: string;
  route: string;
  status: number;
  trace: Omit<Trace, 'route'>;
}) => void;

/**
 * A connection of the smtp-server library that replies as Exchange does. Each reply is replaced by Exchange's wording and
 * enhanced status code, and recorded together with its command.
 */
export class ExchangeConnection extends SMTPConnection {
  trace: Omit<Trace, 'route'> = { service: 'smtp' };
  /** Called after each reply to a command. The status is 0 if the conversation was broken off instead. */
  onCommandDone: CommandRecorder = () => undefined;
  #method: string | undefined;
  #route = '';

  /** Skips the library's check for clients that send before the greeting. It costs 100 ms per connection. */
  override init(): void {
    this._setListeners(() => this.connectionReady());
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    // While the library waits for the rest of an AUTH, the line is a token and not a command.
    if (!this._nextHandler) {
      this.#noteCommand(command.toString('latin1'));
      if (command.length > COMMAND_OCTETS_MAX) {
        this.send(500, 'Line too long');
        callback?.();
        return;
      }
    }
    super._onCommand(command, callback);
  }

  override send(code: number, data?: string | string[] | null): void {
    const reply = toExchangeReply({ code, text: data ?? undefined }, this.#method, this.secure);
    super.send(reply.code, reply.text, false);
    if (reply.code >= 400 || reply.code < 300) this.#record(reply.code);
  }

  /** Breaks the conversation off instead of replying to the current command. */
  breakOff(how: BrokenReply): void {
    this.#record(0);
    if (how === 'hang') return;
    if (how === 'garbage') {
      this._socket.write(garbageReply, 'latin1');
      this.close();
    } else this._socket.destroy();
  }

  #noteCommand(line: string): void {
    const [word = '', mechanism = ''] = line.toUpperCase().trim().split(/\s+/);
    this.#method = Object.hasOwn(loggedCommands, word) ? word : '(unknown)';
    this.#route = loggedCommands[word] ?? '(unknown)';
    if (word === 'AUTH') {
      this.#route = `AUTH ${['XOAUTH2', 'LOGIN', 'PLAIN'].includes(mechanism) ? mechanism : '(other)'}`;
    }
  }

  #record(status: number): void {
    // The greeting is not a reply to a command.
    if (this.#method === undefined) return;
    this.onCommandDone({ method: this.#method, route: this.#route, status, trace: this.trace });
  }
}
