import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import {
  createServer,
  Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, obtainCertificate, trustInThisProcess } from '../../local/certificate.ts';
import { httpWebhookSender } from '../../shared/adapters/webhooks/http-webhook-sender.ts';
import { Secret } from '../../shared/kernel/secret.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OLDER = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const BODY = JSON.stringify({ id: 'evt_1', type: 'webhook.ping', version: 1, data: { name: 'Zürich €' } });

const servers: Server[] = [];
let folder: string;
let certificate: Certificate;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-webhooks-'));
  certificate = await obtainCertificate(folder);
  trustInThisProcess(certificate.cert);
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  for (const server of servers.splice(0)) {
    const closed = once(server, 'close');
    if (server instanceof HttpServer || server instanceof HttpsServer) server.closeAllConnections();
    server.close();
    await closed;
  }
});

async function listen(server: Server, host: string): Promise<number> {
  servers.push(server);
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

interface Receiver {
  url: string;
  port: number;
  requests: { headers: IncomingMessage['headers']; body: string; url: string }[];
}

async function receiver(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  { host = '127.0.0.1', secure = false } = {},
): Promise<Receiver> {
  const requests: Receiver['requests'] = [];
  const handle: RequestListener = async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    requests.push({ headers: request.headers, body, url: request.url ?? '' });
    answer(response, request);
  };
  const server = secure
    ? createSecureServer({ cert: certificate.cert, key: certificate.key }, handle)
    : createServer(handle);
  const port = await listen(server, host);
  return { url: `${secure ? 'https' : 'http'}://${host}:${port}/hook?x=1`, port, requests };
}

const local = (more: Partial<Parameters<typeof httpWebhookSender>[0]> = {}) =>
  httpWebhookSender({ allowsLocalTargets: true, timeoutMs: 2_000, ...more });
const signed = (url: string, secrets = [SECRET]) => ({
  url,
  id: 'evt_1',
  sentAt: new Date(),
  body: BODY,
  secrets: secrets.map((text) => new Secret(text)),
});
const ok = (response: ServerResponse) => void response.writeHead(204).end();

describe('what a receiver gets', () => {
  it('verifies with the standardwebhooks library, with the new secret and with the one before it', async () => {
    const { url, requests } = await receiver(ok);
    expect(await local().send(signed(url, [SECRET, OLDER]))).toMatchObject({ result: 'succeeded', httpStatus: 204 });
    const [got] = requests;
    const headers = got?.headers as Record<string, string>;
    expect(got).toMatchObject({ body: BODY, url: '/hook?x=1' });
    expect(headers).toMatchObject({ 'webhook-id': 'evt_1', 'content-type': 'application/json' });
    for (const secret of [SECRET, OLDER]) expect(new Webhook(secret).verify(BODY, headers)).toEqual(JSON.parse(BODY));
    const other = new Webhook(`whsec_${Buffer.alloc(32, 9).toString('base64')}`);
    expect(() => other.verify(BODY, headers)).toThrow();
    expect(() => new Webhook(SECRET).verify(`${BODY} `, headers)).toThrow();
  });

  it('comes by TLS that is checked for the name, although the connection goes to an address', async () => {
    const { port, requests } = await receiver(ok, { secure: true });
    const pinned = local({ resolve: async () => ['127.0.0.1'] });
    expect(await pinned.send(signed(`https://localhost:${port}/`))).toMatchObject({ result: 'succeeded' });
    const other = await pinned.send(signed(`https://hooks.contoso.example:${port}/`));
    expect(other).toMatchObject({ result: 'unreachable', detail: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(requests).toHaveLength(1);
  });
});

describe('a receiver that', () => {
  it.each([
    [200, 'succeeded'],
    [299, 'succeeded'],
    [400, 'refused'],
    [410, 'refused'],
    [500, 'refused'],
    [304, 'redirected'],
  ])('answers %i: the attempt has %s', async (status, result) => {
    const { url } = await receiver((response) => response.writeHead(status).end());
    expect(await local().send(signed(url))).toMatchObject({ result, httpStatus: status });
  });

  it('redirects to the metadata service is not followed', async () => {
    const metadata = await receiver(ok, { host: '127.0.0.2' });
    for (const location of ['http://169.254.169.254/latest/meta-data/', metadata.url]) {
      const { url } = await receiver((response) => response.writeHead(307, { location }).end());
      expect(await local().send(signed(url))).toMatchObject({ result: 'redirected', httpStatus: 307 });
    }
    expect(metadata.requests).toEqual([]);
  });

  it('does not answer, or answers slowly, has no more time than the limit', async () => {
    const silent = await receiver(() => undefined);
    const slow = await receiver((response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    });
    for (const { url } of [silent, slow]) {
      const startedAt = performance.now();
      const result = await local({ timeoutMs: 300 }).send(signed(url));
      expect(result).toMatchObject({ result: 'timedOut', detail: 'No complete answer within 0.3 seconds.' });
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    }
  });

  it('answers with ten gigabytes is read to 64 KiB, and its connection is closed', async () => {
    let sent = 0;
    const closed = Promise.withResolvers<void>();
    const chunk = Buffer.alloc(65_536, 'x');
    const { url } = await receiver((response) => {
      response.writeHead(200, { 'content-length': 10 * 1024 ** 3 });
      response.on('close', () => closed.resolve());
      const more = () => {
        while (sent < 10 * 1024 ** 3 && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      more();
    });
    const result = await local().send(signed(url));
    expect(result).toMatchObject({ result: 'succeeded', httpStatus: 200, detail: 'x'.repeat(500) });
    await closed.promise;
    // What the buffers of two sockets hold.
    expect(sent).toBeLessThan(20 * 1024 ** 2);
  });

  it('asks for time is heard', async () => {
    const { url } = await receiver((response) =>
      response.writeHead(503, { 'retry-after': '120' }).end('busy\n\u0000!'),
    );
    expect(await local().send(signed(url))).toMatchObject({
      result: 'refused',
      retryAfterSeconds: 120,
      detail: 'busy !',
    });
  });

  it('is not there, or has no name, is unreachable', async () => {
    const { url } = await receiver(ok);
    const [server] = servers.splice(0);
    server?.close();
    expect(await local().send(signed(url))).toMatchObject({ result: 'unreachable', detail: 'ECONNREFUSED' });
    const nameless = local({ resolve: () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' })) });
    expect(await nameless.send(signed('https://no.example/'))).toMatchObject({
      result: 'unreachable',
      detail: 'ENOTFOUND',
    });
  });
});

describe('a target that is not allowed', () => {
  const strict = (resolve: (name: string) => Promise<string[]>) =>
    httpWebhookSender({ allowsLocalTargets: false, timeoutMs: 1_000, resolve });

  it.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://168.63.129.16/',
    'https://10.0.0.5/',
    'http://1.1.1.1/',
  ])('is refused as a URL, and when it is sent: %s', async (url) => {
    const sender = strict(() => Promise.reject(new Error('DNS is not asked')));
    expect(sender.isAllowedUrl(new URL(url))).toBe(false);
    expect(await sender.send(signed(url))).toMatchObject({ result: 'targetNotAllowed' });
  });

  it.each([[['127.0.0.1']], [['169.254.169.254']], [['1.1.1.1', '10.0.0.1']], [['::ffff:192.168.0.1']], [[]]])(
    'is refused when its name resolves to %j',
    async (addresses) => {
      const sender = strict(async () => addresses);
      expect(sender.isAllowedUrl(new URL('https://hooks.contoso.example/'))).toBe(true);
      const result = await sender.send(signed('https://hooks.contoso.example/'));
      expect(result).toMatchObject({ result: 'targetNotAllowed' });
    },
  );

  it('gets nothing when its name resolves to an allowed address first and to another one right after', async () => {
    // 127.0.0.2 stands for the public internet here, and 127.0.0.1 for our own network.
    const allowed = await receiver(ok, { host: '127.0.0.2' });
    const forbidden = createServer((_, response) => response.end());
    let reached = 0;
    forbidden.on('connection', () => reached++);
    servers.push(forbidden);
    forbidden.listen(allowed.port, '127.0.0.1');
    await once(forbidden, 'listening');
    const answers = [['127.0.0.2'], ['127.0.0.1']];
    let asked = 0;
    const sender = httpWebhookSender({
      allowsLocalTargets: true,
      timeoutMs: 2_000,
      resolve: async () => answers[asked++] ?? [],
      isAllowedAddress: (address) => address === '127.0.0.2',
    });
    const url = `http://rebinding.example:${allowed.port}/`;
    expect(await sender.send(signed(url))).toMatchObject({ result: 'succeeded' });
    // One question for one delivery: there is no second answer to be fooled by.
    expect(asked).toBe(1);
    expect(await sender.send(signed(url))).toMatchObject({ result: 'targetNotAllowed' });
    expect(allowed.requests).toHaveLength(1);
    expect(reached).toBe(0);
  });

  it('is refused in time when DNS does not answer', async () => {
    const sender = httpWebhookSender({
      allowsLocalTargets: false,
      timeoutMs: 200,
      resolve: () => new Promise(() => undefined),
    });
    expect(await sender.send(signed('https://hooks.contoso.example/'))).toMatchObject({ result: 'timedOut' });
  });
});
