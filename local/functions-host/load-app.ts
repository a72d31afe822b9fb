import { globSync, readFileSync } from 'node:fs';
import { Server as HttpServer } from 'node:http';
import Module from 'node:module';
import { Server } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Core } from './core.ts';
import { HostError } from './host-error.ts';

const packageJson = z.looseObject({ main: z.string() });

export interface LoadedApp {
  /** The library's capabilities, such as `HttpUri`. */
  capabilities: Record<string, string>;
  /** Why the app could not be loaded. It then has no function, whatever it registered before. */
  failure: string | undefined;
}

/**
 * Loads the app like the Node worker: supplies `@azure/functions-core`, imports the files that `main` in package.json
 * names, runs the `appStart` hooks and closes registration.
 *
 * @throws HostError when the app is missing
 */
export async function loadApp(appDirectory: string, core: Core): Promise<LoadedApp> {
  supplyCore(core.api);
  const failure = await importFiles(mainFiles(appDirectory));
  return { failure, capabilities: await bindingToLoopback(() => core.start(appDirectory)) };
}

async function importFiles(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    try {
      await import(pathToFileURL(file).href);
    } catch (error) {
      return `Worker was unable to load entry point "${file}": ${explain(error)}`;
    }
  }
  return undefined;
}

function supplyCore(api: object): void {
  const require = Module.prototype.require;
  Module.prototype.require = new Proxy(require, {
    apply: (target, self, args) => (args[0] === '@azure/functions-core' ? api : Reflect.apply(target, self, args)),
  });
}

function mainFiles(appDirectory: string): string[] {
  const file = join(appDirectory, 'package.json');
  let main: string;
  try {
    main = packageJson.parse(JSON.parse(readFileSync(file, 'utf8'))).main;
  } catch {
    throw new HostError(`${file} must name the built app as "main"`);
  }
  const found = globSync(main, { cwd: appDirectory });
  if (found.length === 0) throw new HostError(`${join(appDirectory, main)} is missing: run "npm run build" first`);
  return found.sort().map((name) => join(appDirectory, name));
}

/** The message and the place that threw it. A whole stack trace would hide the message. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split('\n').find((line) => /^\s+at /.test(line));
  return place ? `${error.message}\n${place}` : error.message;
}

/**
 * With HTTP streaming, the library starts its own server on all network interfaces. On a developer's machine nothing
 * should listen to the network. So while the app starts, a `listen` call without an address gets 127.0.0.1.
 *
 * Its idle connections stay open. The real host sends a request again if the server has just closed the connection;
 * Node's agent would lose it.
 */
async function bindingToLoopback<T>(start: () => Promise<T>): Promise<T> {
  const listen = Server.prototype.listen;
  Server.prototype.listen = new Proxy(listen, {
    apply(target, self, args) {
      if (self instanceof HttpServer) self.keepAliveTimeout = 0;
      return Reflect.apply(target, self, typeof args[0] === 'function' ? [0, '127.0.0.1', args[0]] : args);
    },
  });
  try {
    return await start();
  } finally {
    Server.prototype.listen = listen;
  }
}
