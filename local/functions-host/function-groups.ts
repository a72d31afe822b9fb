import type { AppSettings } from './app-settings.ts';
import type { RegisteredFunction } from './core.ts';
import { HostError } from './host-error.ts';
import { triggerOf } from './invocation.ts';

/**
 * Functions that Flex Consumption runs on the same instances. All HTTP functions are one group, `http`. Every other
 * function is a group of its own, such as `function:check-mailbox`. The names are those of its always-ready instances.
 */
export interface FunctionGroup {
  name: string;
  trigger: 'http' | 'queue' | 'timer';
}

export function groupOf(fn: RegisteredFunction): FunctionGroup {
  const trigger = triggerOf(fn).type.replace(/trigger$/, '') as FunctionGroup['trigger'];
  return { name: trigger === 'http' ? 'http' : `function:${fn.metadata.name}`, trigger };
}

export function groupsOf(functions: readonly RegisteredFunction[]): FunctionGroup[] {
  return [...new Map(functions.map(groupOf).map((group) => [group.name, group])).values()];
}

/** The functions of the group that `MUSTER_HOST_GROUP` names, or all of them. */
export function ofOwnGroup(functions: RegisteredFunction[], settings: AppSettings): RegisteredFunction[] {
  const name = settings.MUSTER_HOST_GROUP;
  if (!name) return functions;
  const found = functions.filter((fn) => groupOf(fn).name === name);
  if (found.length === 0) throw new HostError(`MUSTER_HOST_GROUP=${name} names no group of functions of this app`);
  return found;
}
