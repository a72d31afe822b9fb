import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { docsFiles } from '../../functions/http/docs/docs-assets.ts';
import { problems } from '../../shared/edge/answers/problem.ts';
import { errorCodes } from '../../shared/kernel/errors.ts';
import { createApi } from '../support/api.ts';

describe('the page of a problem', () => {
  it.each(errorCodes)(
    '200: %s, with its title, its status, an example that links to the page, and no script',
    async (code) => {
      const response = await createApi().request('GET', `/problems/${code}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const page = await response.text();
      expect(page).toContain(`<h1>${problems[code].title}</h1>`);
      expect(page).toContain(`HTTP status ${problems[code].status}`);
      const [, example = ''] = /<pre><code>([^<]*)</.exec(page) ?? [];
      expect(
        JSON.parse(
          example.replaceAll('&#34;', '"').replaceAll('&#39;', "'").replaceAll('&#60;', '<').replaceAll('&#62;', '>'),
        ),
      ).toMatchObject({
        type: `https://muster.test/problems/${code}`,
        title: problems[code].title,
        status: problems[code].status,
        code,
      });
      expect(page).not.toContain('<script');
      expect(page).not.toContain('`');
    },
  );

  it('lists the routes that can answer with it, as the OpenAPI document does', async () => {
    const page = await (await createApi().request('GET', '/problems/slot_limit_reached')).text();
    expect(page).toContain('<li><code>POST /v1/connections/{connectionId}/imports</code>');
    expect(page).not.toContain('/v1/customers');
  });

  it('allows its own style and nothing else', async () => {
    const policy = (await createApi().request('GET', '/problems/forbidden')).headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('script-src');
  });

  it('404: an unknown code, with a page that lists the codes and repeats nothing of the address', async () => {
    for (const code of ['no_such_code', 'validation-failed', '%3Cscript%3E', 'toString', 'x'.repeat(4000)]) {
      const response = await createApi().request('GET', `/problems/${code}`);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const page = await response.text();
      expect(page).toContain('href="/problems/validation_failed"');
      expect(page).not.toContain(decodeURIComponent(code));
    }
  });

  it('is the `type` of every problem', async () => {
    const api = createApi();
    const { type } = (await (await api.request('GET', '/v1/me')).json()) as { type: string };
    expect(type).toBe('https://muster.test/problems/unauthenticated');
    expect((await api.request('GET', new URL(type).pathname)).status).toBe(200);
  });
});

describe('the API reference', () => {
  const assetPaths = async (api: ReturnType<typeof createApi>) => {
    const page = await (await api.request('GET', '/docs')).text();
    return [...page.matchAll(/"(\/docs\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
  };

  it('200: open to everyone, under a policy without `unsafe-inline`, `unsafe-eval` and other hosts', async () => {
    const response = await createApi().request('GET', '/docs');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(await response.text()).not.toMatch(/<script(?! src="\/docs\/)|<style|https?:/);
  });

  it('loads each of its files from an address that changes with the content and may be kept forever', async () => {
    const api = createApi();
    const paths = await assetPaths(api);
    expect(paths.length).toBe(docsFiles.length);
    for (const [at, path] of paths.entries()) {
      expect(path).toMatch(/-[0-9a-f]{16}\.(js|css)$/);
      const response = await api.request('GET', path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(
        path.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8',
      );
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await response.text()).toBe(`the content of ${docsFiles[at]}`);
    }
  });

  it.each([
    ['gzip, deflate, br', 'gzip'],
    ['br;q=1.0, GZIP;q=0.8', 'gzip'],
    ['*', 'gzip'],
    ['gzip;q=0', null],
    ['gzip; q=0.0, br', null],
    ['identity', null],
  ])('compresses its files for Accept-Encoding "%s": %s', async (accepted, coding) => {
    const api = createApi();
    const [path = ''] = await assetPaths(api);
    const response = await api.request('GET', path, { headers: { 'accept-encoding': accepted } });
    expect(response.headers.get('content-encoding')).toBe(coding);
    expect(response.headers.get('vary')).toBe('accept-encoding');
    const bytes = Buffer.from(await response.arrayBuffer());
    expect((coding ? gunzipSync(bytes) : bytes).toString()).toBe('the content of swagger-ui.css');
  });

  it.each([
    'swagger-ui.css',
    '..%2Findex.js',
    '..%2F..%2Fhost.json',
    '%2Fetc%2Fpasswd',
    'swagger-ui-0000000000000000.js',
    'x'.repeat(4000),
  ])('404: serves no other file (%s)', async (file) => {
    const response = await createApi().request('GET', `/docs/assets/${file}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found' });
  });
});
