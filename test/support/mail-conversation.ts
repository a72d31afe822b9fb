import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterAll } from 'vitest';
import { xoauth2 } from './mail-protocols.ts';
import type { SimulatorClient } from './simulator-client.ts';

/** Talks to the simulated IMAP or SMTP server line by line, without a client library. */
export class MailConversation {
  #socket: net.Socket;
  #received = '';

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#listen();
  }

  static async imap({ simulator }: SimulatorClient): Promise<MailConversation> {
    const conversation = new MailConversation(tls.connect(simulator.imap));
    await conversation.until(/ready/);
    return conversation;
  }

  /** Resolves after the first EHLO, before TLS. */
  static async smtp({ simulator }: SimulatorClient): Promise<MailConversation> {
    const conversation = new MailConversation(net.connect(simulator.smtp));
    await conversation.until(/^220 /m);
    await conversation.ask('EHLO client.example', /^250 /m);
    return conversation;
  }

  /** Sends STARTTLS and then EHLO again. */
  async startTls(): Promise<string> {
    await this.ask('STARTTLS', /^220 /m);
    this.#socket.removeAllListeners('data');
    this.#socket = tls.connect({ socket: this.#socket, host: '127.0.0.1' });
    this.#listen();
    return await this.ask('EHLO client.example', /^250 /m);
  }

  /** Sends the line. Returns what the server sends from then on until it matches, or until the connection ends. */
  async ask(line: string, until: RegExp, withinMs?: number): Promise<string> {
    this.#received = '';
    this.#socket.write(`${line}\r\n`);
    return await this.until(until, withinMs);
  }

  /** Signs in with XOAUTH2, the token on a line of its own. Returns the reply of SMTP's server. */
  async signIn(user: string, token: string): Promise<string> {
    await this.ask('AUTH XOAUTH2', /^334 /m);
    return await this.ask(xoauth2(user, token), /^\d{3} /m);
  }

  /** Waits until what the server sent matches, or until the connection ends. Rejects after `withinMs` of silence. */
  async until(wanted: RegExp, withinMs = 3000): Promise<string> {
    while (!wanted.test(this.#received) && !this.#socket.destroyed) {
      const timeout = new AbortController();
      const timer = setTimeout(() => timeout.abort(), withinMs);
      const { signal } = timeout;
      try {
        await Promise.race([once(this.#socket, 'data', { signal }), once(this.#socket, 'close', { signal })]);
      } finally {
        clearTimeout(timer);
        timeout.abort();
      }
    }
    return this.#received;
  }

  get isOver(): boolean {
    return this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('utf8');
    });
  }
}

/** Opens conversations for the tests of one `describe`, and closes them all at its end. */
export function conversations(open: () => Promise<MailConversation>): () => Promise<MailConversation> {
  const opened: MailConversation[] = [];
  afterAll(() => {
    for (const conversation of opened) conversation.close();
  });
  return async () => {
    const conversation = await open();
    opened.push(conversation);
    return conversation;
  };
}
