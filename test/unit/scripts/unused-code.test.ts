import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { withoutUnusedCode } from '../../../scripts/unused-code.ts';

/** Bundles this code as the app is bundled, and runs it. */
async function run(
  contents: string,
): Promise<{ size: number; exported: Record<string, (...values: never[]) => string> }> {
  const built = await build({
    stdin: { contents, resolveDir: '.' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    plugins: [withoutUnusedCode],
  });
  const text = built.outputFiles[0]?.text ?? '';
  const module = { exports: {} };
  new Function('module', 'require', text)(module, (await import('node:module')).createRequire(import.meta.url));
  return { size: text.length, exported: module.exports };
}

test('names of folders are still read and written in every script, as IMAP encodes them', async () => {
  const { exported } = await run(`
    import iconv from 'iconv-lite';
    export const write = (name) => iconv.encode(name, 'utf-7-imap').toString();
    export const read = (name) => iconv.decode(Buffer.from(name), 'utf-7-imap');`);
  for (const name of ['Entwürfe', '下書き', 'مسودات', 'A&B']) {
    const written = exported.write?.(name as never) ?? '';
    expect(written).toMatch(/^[ -~]+$/);
    expect(exported.read?.(written as never)).toBe(name);
  }
});

test('what is left out says so if something uses it after all', async () => {
  const { exported, size } = await run(`
    import iconv from 'iconv-lite';
    export const read = (bytes) => iconv.decode(Buffer.from(bytes), 'shift_jis');`);
  expect(() => exported.read?.([0x82, 0xa0] as never)).toThrow('a table of iconv-lite is not in this bundle');
  expect(size).toBeLessThan(250_000);
});
