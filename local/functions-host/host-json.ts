import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { AppSettings } from './app-settings.ts';
import type { LogLevel } from './core-types.ts';
import { HostError } from './host-error.ts';
import { overrideHostJson } from './host-json-overrides.ts';
import { parseLogLevel } from './log.ts';
import { isTimeSpan, parseTimeSpan } from './time-span.ts';

const timeSpan = z.string().refine(isTimeSpan, 'must be a time span such as 00:00:30');

/** Only the fields that this host uses are checked. The others are for the real host. */
const schema = z.looseObject({
  version: z.literal('2.0'),
  functionTimeout: z.union([timeSpan, z.literal('-1')]).default('00:30:00'),
  singleton: z
    .looseObject({
      listenerLockPeriod: timeSpan.default('00:01:00'),
      listenerLockRecoveryPollingInterval: timeSpan.default('00:01:00'),
    })
    .prefault({}),
  logging: z.looseObject({ logLevel: z.record(z.string(), z.string()).default({}) }).prefault({}),
  extensions: z
    .looseObject({
      http: z.looseObject({ routePrefix: z.string().default('api') }).prefault({}),
      queues: z
        .looseObject({
          batchSize: z.number().int().min(1).max(32).default(16),
          newBatchThreshold: z.number().int().min(0).optional(),
          maxPollingInterval: timeSpan.default('00:01:00'),
          visibilityTimeout: timeSpan.default('00:00:00'),
          maxDequeueCount: z.number().int().min(1).default(5),
          messageEncoding: z.enum(['base64', 'none']).default('base64'),
        })
        .prefault({}),
    })
    .prefault({}),
});

export interface QueuesOptions {
  batchSize: number;
  newBatchThreshold: number;
  maxPollingIntervalMs: number;
  visibilityTimeoutSeconds: number;
  maxDequeueCount: number;
  messageEncoding: 'base64' | 'none';
}

/** The lock that keeps a timer on one instance. */
export interface SingletonOptions {
  /** How long the lock lasts without renewal. */
  lockPeriodMs: number;
  /** How often an instance without the lock tries to get it. */
  recoveryPollingMs: number;
}

export interface HostJson {
  routePrefix: string;
  queues: QueuesOptions;
  singleton: SingletonOptions;
  /** `undefined` means no limit. */
  functionTimeoutMs: number | undefined;
  logLevel: LogLevel;
}

/**
 * Reads `host.json` with the defaults of Azure Functions, or those of Flex Consumption if plans differ. App settings such
 * as `AzureFunctionsJobHost__functionTimeout` override the file.
 */
export function readHostJson(appDirectory: string, settings: AppSettings): HostJson {
  const file = join(appDirectory, 'host.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new HostError(`${file} is missing: this directory holds no function app`);
  }
  return parseHostJson(text, settings);
}

export function parseHostJson(text: string, settings: AppSettings = {}): HostJson {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new HostError(`host.json is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const parsed = schema.safeParse(overrideHostJson(json, settings));
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new HostError(`host.json cannot be used: ${faults.join('; ')}`);
  }
  const { extensions, functionTimeout, logging, singleton } = parsed.data;
  const { queues } = extensions;
  return {
    routePrefix: extensions.http.routePrefix.replace(/^\/+|\/+$/g, ''),
    functionTimeoutMs: functionTimeout === '-1' ? undefined : parseTimeSpan(functionTimeout, 'functionTimeout'),
    logLevel: parseLogLevel(logging.logLevel.default),
    singleton: {
      lockPeriodMs: parseTimeSpan(singleton.listenerLockPeriod, 'listenerLockPeriod'),
      recoveryPollingMs: parseTimeSpan(
        singleton.listenerLockRecoveryPollingInterval,
        'listenerLockRecoveryPollingInterval',
      ),
    },
    queues: {
      batchSize: queues.batchSize,
      newBatchThreshold: queues.newBatchThreshold ?? Math.floor(queues.batchSize / 2) * availableParallelism(),
      maxPollingIntervalMs: Math.max(100, parseTimeSpan(queues.maxPollingInterval, 'maxPollingInterval')),
      visibilityTimeoutSeconds: Math.round(parseTimeSpan(queues.visibilityTimeout, 'visibilityTimeout') / 1000),
      maxDequeueCount: queues.maxDequeueCount,
      messageEncoding: queues.messageEncoding,
    },
  };
}
