import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFixtureApp, type HostProcess, spawnHost, until } from '../support/functions-host.ts';
import { jsonOf } from '../support/json-of.ts';
import { sendRaw } from '../support/raw-request.ts';

const guid = '6f1c2f6e-4d2e-4b46-9c44-0a4f0f4a9d11';
const settings = {
  DataStorage: 'UseDevelopmentStorage=true',
  'AzureWebJobs.work.Disabled': 'true',
  'AzureWebJobs.work-poison.Disabled': '1',
  'AzureWebJobs.off.Disabled': 'true',
  'AzureWebJobs.tick.Disabled': 'true',
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '6000000',
  FUNCTIONS_MASTER_KEY: 'sesame',
};

let app: string;
const hosts: Record<string, HostProcess> = {};
beforeAll(async () => {
  app = await buildFixtureApp();
  const [stream, rpc] = await Promise.all([
    spawnHost(app, { ...settings, FIXTURE_STREAM: '1' }).started,
    spawnHost(app, { ...settings, FIXTURE_STREAM: '0' }).started,
  ]);
  Object.assign(hosts, { stream, rpc });
});
afterAll(async () => {
  await Promise.all(Object.values(hosts).map((host) => host.stop()));
  rmSync(app, { recursive: true, force: true });
});

function host(mode: string): HostProcess {
  const found = hosts[mode];
  if (!found) throw new Error(`no host in ${mode} mode`);
  return found;
}

describe.each(['stream', 'rpc'])('HTTP functions, %s mode', (mode) => {
  const get = (path: string, init: RequestInit = {}) => fetch(`${host(mode).url}${path}`, init);

  test('a handler receives method, params, query, headers and body, and the client receives its status, headers and cookies', async () => {
    const answer = await get('/v1/echo/caf%C3%A9%20x/a/b?tag=1&tag=2', {
      method: 'POST',
      body: 'hello',
      headers: { 'x-test': 'yes', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-answer')).toBe('yes');
    expect(answer.headers.getSetCookie()).toEqual(['a=1; HttpOnly', 'b=2; Path=/; SameSite=Lax']);
    expect(await answer.json()).toEqual({
      method: 'POST',
      url: `${host(mode).url}/v1/echo/caf%C3%A9%20x/a/b?tag=1&tag=2`,
      // With streaming, the library takes every field of the query for a parameter.
      params: { id: 'café x', rest: 'a/b', ...(mode === 'stream' && { tag: '1,2' }) },
      // Only streaming keeps repeated values apart. RPC joins them.
      tags: mode === 'stream' ? ['1', '2'] : ['1,2'],
      header: 'yes',
      body: 'hello',
      traceParent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    });
  });

  test('serves DELETE without a body, and a catch-all route that matches nothing', async () => {
    const answer = await get('/v1/echo/one', { method: 'DELETE' });
    expect(await answer.json()).toMatchObject({ method: 'DELETE', params: { id: 'one' }, body: '' });
  });

  test('a literal beats a parameter in any order of registration, and the verb decides between equal routes', async () => {
    expect(await (await get('/v1/things/first')).json()).toEqual({ preview: 'get' });
    expect(await (await get('/v1/things/preview', { method: 'POST' })).json()).toEqual({ preview: 'post' });
    expect(await (await get('/v1/things/preview')).json()).toEqual({ one: 'preview' });
  });

  test('404: answers an unknown path, an unmatched constraint and an unknown verb, without a body', async () => {
    const answers = await Promise.all([
      get('/v1/unknown'),
      get('/v1/guids/not-a-guid'),
      get('/boom', { method: 'PUT' }),
      get('/'),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([404, 404, 404, 404]);
    expect(await answers[0]?.text()).toBe('');
    expect(await (await get(`/v1/guids/${guid}`)).json()).toEqual({ id: guid });
  });

  test('500: answers without a body if a handler throws, and logs the error', async () => {
    const answer = await get('/boom');
    expect(answer.status).toBe(500);
    expect(await answer.text()).toBe('');
    await host(mode).printed('error boom: failed');
  });

  test('204: passes on an answer without a body', async () => {
    expect((await get('/nothing')).status).toBe(204);
  });

  test('401: refuses a protected function without the master key', async () => {
    expect((await get('/guarded')).status).toBe(401);
    expect((await get('/guarded?code=wrong')).status).toBe(401);
    expect((await get('/guarded?code=sesame')).status).toBe(200);
    expect((await get('/guarded', { headers: { 'x-functions-key': 'sesame' } })).status).toBe(200);
  });

  test('413: refuses a body above the limit', async () => {
    const answer = await get('/measure', { method: 'POST', body: Buffer.alloc(6_000_001) });
    expect(answer.status).toBe(413);
  });

  test('a message of the app is one log line, with its level and function', async () => {
    await get('/v1/echo/log');
    await host(mode).printed('warning echo: echo was called\\\\nover two lines\n');
  });

  test('hooks run around every invocation', async () => {
    await get('/v1/echo/hooks');
    const { hooks } = await jsonOf<{ hooks: string[] }>(await get('/seen'));
    expect(hooks.slice(0, 3)).toEqual(['appStart', 'preInvocation', 'postInvocation']);
  });

  test('the admin route lists all functions except disabled ones', async () => {
    expect(host(mode).functions).toContain('echo');
    expect(host(mode).functions).not.toContain('work');
    const listed = await jsonOf<{ name: string }[]>(await get('/admin/functions'));
    expect(listed.map((one) => one.name)).toEqual(host(mode).functions);
    expect(await (await get('/admin/host/status')).json()).toMatchObject({ state: 'Running' });
  });

  test('the admin routes refuse other host names, forged forms and HTTP functions', async () => {
    const post = { method: 'POST', body: '{}' };
    const json = { 'content-type': 'application/json' };
    expect((await get('/admin/functions/echo', { ...post, headers: json })).status).toBe(404);
    expect((await get('/admin/functions/none', { ...post, headers: json })).status).toBe(404);
    expect(await rawStatus(host(mode), 'GET /admin/host/status HTTP/1.1\r\nHost: evil.example\r\n\r\n')).toBe(403);
  });
});

describe('HTTP streaming', () => {
  const url = (path: string) => `${host('stream').url}${path}`;

  test('fields of the query and of a JSON body become parameters, and hide headers that have their name', async () => {
    const headers = { 'x-test': 'yes', 'content-type': 'application/json' };
    const post = async (query: string, body: object) =>
      jsonOf<object>(await fetch(url(`/v1/echo/7${query}`), { method: 'POST', headers, body: JSON.stringify(body) }));
    expect(await post('?b=query', { a: 'body', id: 'body', n: null })).toMatchObject({
      params: { a: 'body', b: 'query', id: '7' },
      header: 'yes',
    });
    expect(await post('', { headers: 'x' })).toMatchObject({ header: null });
    expect(await post('?Headers={"x-test":"made up"}', {})).toMatchObject({ header: 'made up' });
  });

  test('a body of known length is read before the function runs', async () => {
    const began = () => host('stream').output().split('slow began').length;
    const before = began();
    const { port } = new URL(url('/'));
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('POST /slow?ms=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345');
    await new Promise((done) => setTimeout(done, 200));
    expect(began()).toBe(before);
    socket.write('67890');
    await host('stream').printed('slow began');
    await until(async () => began() > before);
    socket.destroy();
  });

  test('chunks of an upload and of its answer pass one by one without buffering', async () => {
    let push: (chunk: string) => void = () => undefined;
    let close: () => void = () => undefined;
    const body = new ReadableStream({
      start(controller) {
        push = (chunk) => controller.enqueue(new TextEncoder().encode(chunk));
        close = () => controller.close();
      },
    });
    push('one');
    const answer = await fetch(url('/relay'), { method: 'POST', body, duplex: 'half' });
    const reader = answer.body?.getReader();
    const next = async () => new TextDecoder().decode((await reader?.read())?.value);
    expect(await next()).toBe('one');
    push('two');
    expect(await next()).toBe('two');
    close();
    expect((await reader?.read())?.done).toBe(true);
  });

  test('a chunked upload of 5 MB arrives whole', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 80; n++) controller.enqueue(new Uint8Array(65_536));
        controller.close();
      },
    });
    const answer = await fetch(url('/measure'), { method: 'POST', body, duplex: 'half' });
    expect(await answer.json()).toEqual({ bytes: 80 * 65_536 });
  });

  test('413: refuses a chunked upload that grows beyond the limit', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 120; n++) controller.enqueue(new Uint8Array(65_536));
        controller.close();
      },
    });
    const ended = await fetch(url('/measure'), { method: 'POST', body, duplex: 'half' }).then(
      (answer) => answer.status,
      () => 'connection closed',
    );
    expect(ended).toBe(413);
  });

  test('an answer that does not wait for the upload reaches the client', async () => {
    const answer = await fetch(url('/ignores-body'), { method: 'POST', body: Buffer.alloc(5_000_000) });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toBe('no');
  });

  test('clients that disconnect in the middle do no harm', async () => {
    for (const head of ['POST /measure', 'POST /relay', 'GET /slow?ms=50', 'POST /ignores-body']) {
      await abandon(host('stream'), `${head} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc`, 20);
      await abandon(host('stream'), `${head} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc`, 0);
    }
    await abandon(host('stream'), 'nonsense\r\n\r\n', 5);
    await until(async () => (await fetch(url('/nothing'))).status === 204);
    expect(host('stream').process.exitCode).toBeNull();
  });
});

test('a chunked upload arrives empty without streaming, as in Azure', async () => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(1000));
      controller.close();
    },
  });
  const answer = await fetch(`${host('rpc').url}/measure`, { method: 'POST', body, duplex: 'half' });
  expect(await answer.json()).toEqual({ bytes: 0 });
});

function abandon(target: HostProcess, text: string, afterMs: number): Promise<void> {
  return new Promise((done) => {
    const socket = connect(Number(new URL(target.url).port), '127.0.0.1', () => {
      socket.write(text);
      setTimeout(() => socket.destroy(), afterMs);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => done());
  });
}

function rawStatus(target: HostProcess, text: string): Promise<number> {
  return new Promise((done, reject) => {
    const socket = connect(Number(new URL(target.url).port), '127.0.0.1', () => socket.write(text));
    socket.once('data', (answer) => {
      socket.destroy();
      done(Number(/^HTTP\/1.1 (\d+)/.exec(answer.toString())?.[1]));
    });
    socket.on('error', reject);
  });
}

test('what is not HTTP is answered with 400, and the connection is closed', async () => {
  const { url } = host('stream');
  for (const head of [
    ['nonsense'],
    ['GET /v1/\u00e9\u00ff HTTP/1.1', 'Host: x'],
    ['GET / HTTP/1.1', 'Host: x', 'a\u0000: b'],
  ]) {
    expect(await sendRaw(url, head)).toMatchObject({ status: 400 });
  }
  expect(await sendRaw(url, ['GET / HTTP/1.1', `x: ${'x'.repeat(70_000)}`])).toMatchObject({ status: 431 });
});
