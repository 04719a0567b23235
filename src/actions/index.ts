import type { Action } from './action.ts';
import { HTTP_ACTIONS } from './http/index.ts';
import { KUBERNETES_ACTIONS } from './kubernetes/index.ts';
import { METRICS_ACTIONS } from './metrics/index.ts';
import { NOTICES_ACTIONS } from './notices/index.ts';
import { OBJECTS_ACTIONS } from './objects/index.ts';
import { POSTGRES_ACTIONS } from './postgres/index.ts';
import { REDIS_ACTIONS } from './redis/index.ts';

const ALL: Action[] = [
  ...KUBERNETES_ACTIONS,
  ...POSTGRES_ACTIONS,
  ...REDIS_ACTIONS,
  ...HTTP_ACTIONS,
  ...METRICS_ACTIONS,
  ...NOTICES_ACTIONS,
  ...OBJECTS_ACTIONS,
];

/** Every action that runbooks may use, by name. Adding one: its file, its test, and a line in the index of its group. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map(ALL.map((action) => [action.name, action]));
