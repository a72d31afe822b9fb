import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startRoundRobin } from '../../local/round-robin.ts';
import { portOf } from '../support/port-of.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function startServer(handle: (req: IncomingMessage, res: ServerResponse) => void): Promise<number> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return portOf(server);
}

async function startFront(ports: () => number[]): Promise<string> {
  const front = await startRoundRobin(0, ports);
  closing.push(() => front.close());
  return `http://127.0.0.1:${front.port}`;
}

test('each request goes to the next process, and one that cannot answer is left out', async () => {
  const answerWith = (name: string) => startServer((_, res) => res.end(name));
  const all = [await answerWith('a'), await answerWith('b'), await answerWith('c')];
  let ready = all;
  const url = await startFront(() => ready);
  const ask = async () => (await fetch(url)).text();
  const answers = [await ask(), await ask(), await ask(), await ask(), await ask(), await ask()];
  expect(answers).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  ready = all.slice(1);
  expect(new Set([await ask(), await ask(), await ask(), await ask()])).toEqual(new Set(['b', 'c']));
  ready = [];
  expect((await fetch(url)).status).toBe(503);
});

test('the path, the host, repeated headers and the status pass unchanged, and no address is added', async () => {
  const port = await startServer((req, res) => {
    const { url, headers, method } = req;
    res.writeHead(207, { 'set-cookie': ['a=1', 'b=2'], etag: '"x"' });
    res.end(
      JSON.stringify({ url, method, host: headers.host, from: headers['x-forwarded-for'], test: headers['x-test'] }),
    );
  });
  const url = await startFront(() => [port]);
  const answer = await fetch(`${url}/v1/a%2Fb?x=1&x=2`, { method: 'DELETE', headers: { 'x-test': 'yes' } });
  expect(answer.status).toBe(207);
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(answer.headers.get('etag')).toBe('"x"');
  expect(await answer.json()).toEqual({
    url: '/v1/a%2Fb?x=1&x=2',
    method: 'DELETE',
    host: new URL(url).host,
    test: 'yes',
  });
});

test('chunks of an upload and of its answer pass one by one without buffering', async () => {
  const port = await startServer((req, res) => {
    res.flushHeaders();
    req.pipe(res);
  });
  const url = await startFront(() => [port]);
  const sending = request(url, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
  sending.flushHeaders();
  const [answer]: IncomingMessage[] = await once(sending, 'response');
  for (const chunk of ['first', 'second', 'third']) {
    sending.write(chunk);
    const [echoed] = await once(answer as IncomingMessage, 'data');
    expect(String(echoed)).toBe(chunk);
  }
  sending.end();
  await once(answer as IncomingMessage, 'end');
});

test('a process that dies before it answers causes a 502, and one that dies while it answers a broken connection', async () => {
  let received = 0;
  const port = await startServer((req, res) => {
    if (++received === 1) return void req.socket.destroy();
    res.writeHead(200, { 'content-length': 100 });
    res.write('part');
    void pause(50).then(() => req.socket.destroy());
  });
  const url = await startFront(() => [port]);
  expect((await fetch(url)).status).toBe(502);
  const partial = await fetch(url);
  await expect(partial.text()).rejects.toThrow();
});
