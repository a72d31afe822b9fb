import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { Trace } from '../http.ts';
import { junk } from '../protocols/protocol-faults.ts';
import { inExchangesWords } from './exchange-wording.ts';
import type { Fate } from './submission.ts';

/** Names that the request log shows; anything else a client sends may hold what must not be logged. */
const routes: Record<string, string> = {
  ...Object.fromEntries(
    ['HELO', 'EHLO', 'STARTTLS', 'AUTH', 'DATA', 'RSET', 'NOOP', 'QUIT', 'HELP', 'VRFY'].map((name) => [name, name]),
  ),
  MAIL: 'MAIL FROM',
  RCPT: 'RCPT TO',
};

export type Recorder = (step: { method: string; route: string; status: number; trace: Omit<Trace, 'route'> }) => void;

/**
 * The library's connection, speaking as Exchange does: each reply passes here, is put into Exchange's words with its
 * own enhanced status code, and is counted together with the command that it answers.
 */
export class ExchangeConnection extends SMTPConnection {
  trace: Omit<Trace, 'route'> = { service: 'smtp' };
  /** Whom to tell of each answered command. */
  onStep: Recorder = () => undefined;
  #method: string | undefined;
  #route = '';

  /** Without the library's wait for clients that talk too soon: a tenth of a second for each connection. */
  override init(): void {
    this._setListeners(() => this.connectionReady());
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    // While the library waits for the rest of an AUTH, a line holds a token and no command.
    if (!this._nextHandler) this.#name(command.toString('latin1'));
    super._onCommand(command, callback);
  }

  override send(code: number, data?: string | string[] | null): void {
    const said = inExchangesWords({ code, text: data ?? undefined }, this.#method, this.secure);
    super.send(said.code, said.text, false);
    if (said.code >= 400 || said.code < 300) this.#record(said.code);
  }

  /** Gives the command that is being answered no reply. */
  suffer(fate: Fate): void {
    this.#record(0);
    if (fate === 'hang') return;
    if (fate === 'garbage') {
      this._socket.write(junk, 'latin1');
      this.close();
    } else this._socket.destroy();
  }

  #name(line: string): void {
    const [word = '', mechanism = ''] = line.toUpperCase().trim().split(/\s+/);
    this.#method = Object.hasOwn(routes, word) ? word : '(unknown)';
    this.#route = routes[word] ?? '(unknown)';
    if (word === 'AUTH') {
      this.#route = `AUTH ${['XOAUTH2', 'LOGIN', 'PLAIN'].includes(mechanism) ? mechanism : '(other)'}`;
    }
  }

  #record(status: number): void {
    // The greeting answers nothing.
    if (this.#method === undefined) return;
    this.onStep({ method: this.#method, route: this.#route, status, trace: this.trace });
  }
}
