import { lookup } from 'node:dns/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { AttemptResult } from '../../webhooks/delivery.ts';
import type { SendResult, SignedRequest, WebhookSender } from '../../webhooks/webhook-sender.ts';
import { readRetryAfter } from '../retry-after.ts';
import { isPublicAddress } from './public-address.ts';

interface SenderOptions {
  /** For one machine: also reaches local addresses, and servers without TLS. */
  allowsLocalTargets: boolean;
  /** The whole attempt: DNS, connection, request and answer. */
  timeoutMs: number;
  /** Resolves a name to all its addresses. By default as the system does. */
  resolve?: (hostname: string) => Promise<string[]>;
  /** Whether an address may be reached. By default the public ones. */
  isAllowedAddress?: (address: string) => boolean;
}

/** More of an answer is not read. */
const ANSWER_MAX_BYTES = 65_536;
/** How much of an answer the log of deliveries shows. */
const SHOWN_MAX_LENGTH = 500;

const resolveAll = async (hostname: string) =>
  (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);

class NotAllowed extends Error {}

/**
 * Sends webhooks with Node's own client. The name is resolved once for each attempt. If any of its addresses is not
 * allowed, nothing is sent. Otherwise the connection goes to the address that was checked, so another answer of DNS cannot
 * come in between. TLS still checks the certificate for the name. Redirects are not followed.
 */
export function httpWebhookSender(options: SenderOptions): WebhookSender {
  const { allowsLocalTargets, timeoutMs, resolve = resolveAll } = options;
  const isAllowedAddress = options.isAllowedAddress ?? ((address) => allowsLocalTargets || isPublicAddress(address));

  async function addressOf(url: URL): Promise<string> {
    const hostname = bareHostname(url);
    const addresses = isIP(hostname) ? [hostname] : await resolve(hostname);
    const [first] = addresses;
    if (first === undefined || !addresses.every(isAllowedAddress)) {
      throw new NotAllowed('The name of the server does not lead to the public internet.');
    }
    return first;
  }

  return {
    isAllowedUrl(url) {
      const hostname = bareHostname(url);
      if (hostname === '' || (isIP(hostname) && !isAllowedAddress(hostname))) return false;
      return url.protocol === 'https:' || (allowsLocalTargets && url.protocol === 'http:');
    },
    async send(signed) {
      const startedAt = performance.now();
      const signal = AbortSignal.timeout(timeoutMs);
      const end = (result: Omit<SendResult, 'durationMs'>): SendResult => ({
        ...result,
        durationMs: Math.round(performance.now() - startedAt),
      });
      try {
        const url = new URL(signed.url);
        if (!this.isAllowedUrl(url)) throw new NotAllowed('The URL does not name a server on the public internet.');
        const address = await withinTime(addressOf(url), signal);
        return end(await readAnswer(await post(url, address, signed, signal)));
      } catch (error) {
        return end({ result: resultOf(error, signal), detail: detailOf(error, signal, timeoutMs) });
      }
    },
  };
}

/** Without the brackets of IPv6. */
const bareHostname = (url: URL) => url.hostname.replace(/^\[|\]$/g, '');

/** DNS cannot be aborted, so its answer is left unheard. */
function withinTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

function post(url: URL, address: string, signed: SignedRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const body = Buffer.from(signed.body);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        // A connection of its own: a kept one could lead to an address from before the check.
        agent: false,
        lookup: (_hostname, { all }, callback) => {
          const family = isIP(address);
          if (all) callback(null, [{ address, family }]);
          else callback(null, address, family);
        },
        signal,
        headers: {
          ...signatureHeaders(signed),
          'content-type': 'application/json',
          'content-length': body.length,
          'user-agent': 'Muster-Webhooks/1',
        },
      },
      resolve,
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function signatureHeaders({ id, sentAt, body, secrets }: SignedRequest): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret.reveal()).sign(id, sentAt, body)).join(' '),
  };
}

/** Reads at most `ANSWER_MAX_BYTES`, and lets go of the rest with its connection. The status alone decides. */
async function readAnswer(answer: IncomingMessage): Promise<Omit<SendResult, 'durationMs'>> {
  const { statusCode: httpStatus = 0 } = answer;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= ANSWER_MAX_BYTES) break;
    }
  } finally {
    answer.destroy();
  }
  const retryAfterSeconds = readRetryAfter(answer.headers['retry-after'], new Date());
  const detail = shown(Buffer.concat(chunks));
  return {
    result: resultOfStatus(httpStatus),
    httpStatus,
    ...(detail !== '' && { detail }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

function resultOfStatus(status: number): AttemptResult {
  if (status >= 200 && status < 300) return 'succeeded';
  return status >= 300 && status < 400 ? 'redirected' : 'refused';
}

/** What people can read of an answer. */
function shown(bytes: Buffer): string {
  const text = bytes.subarray(0, 4 * SHOWN_MAX_LENGTH).toString('utf8');
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, SHOWN_MAX_LENGTH)
    .toWellFormed();
}

function resultOf(error: unknown, signal: AbortSignal): AttemptResult {
  if (error instanceof NotAllowed) return 'targetNotAllowed';
  return signal.aborted ? 'timedOut' : 'unreachable';
}

function detailOf(error: unknown, signal: AbortSignal, timeoutMs: number): string {
  if (error instanceof NotAllowed) return error.message;
  if (signal.aborted) return `No complete answer within ${timeoutMs / 1000} seconds.`;
  const { code, message } = error as { code?: unknown; message?: unknown };
  return shown(Buffer.from(String(typeof code === 'string' ? code : message)));
}
