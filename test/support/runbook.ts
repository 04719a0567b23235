import { ApplicationFailure } from '@temporalio/common';
import { parse } from 'yaml';
import { outline } from '../../src/catalog/runbook-outline.ts';
import type { RunbookRequest } from '../../src/catalog/runbook-slice.ts';
import type { AcquireReply, AcquireRequest } from '../../src/contracts/change-control.ts';
import type { ExpressionType } from '../../src/contracts/expression-type.ts';
import type { Plan } from '../../src/contracts/plan.ts';
import { runbook as runbookSchema, type CatalogRunbook } from '../../src/contracts/runbook.ts';
import type { RunbookSlice } from '../../src/contracts/run-runbook.ts';
import type { Admission } from '../../src/domain/change/admission.ts';
import { toGateSpec } from '../../src/domain/gate.ts';
import { scopesOf as leaseScopes } from '../../src/domain/lease/state.ts';
import { fillParameters } from '../../src/domain/runbook/parameters.ts';
import { composePlan, type PlannedStep } from '../../src/domain/runbook/plan.ts';
import { reachable } from '../../src/domain/runbook/steps.ts';
import { slice as serviceSlice } from './live.ts';

/** Actions of tests: `set` puts a value under a key and can be taken back, `note` only adds to the log, `look` reads. */
const ACTIONS: RunbookSlice['actions'] = {
  set: { changes: true, needsLease: true, convergent: true, output: { fields: { before: 'int', after: 'int' } } },
  note: { changes: true, needsLease: true, convergent: false, output: 'dyn' },
  look: {
    changes: false,
    needsLease: false,
    convergent: false,
    output: { fields: { value: 'int' } satisfies Record<string, ExpressionType> },
  },
};

/** What a run acts on in memory, and what is told about it. */
export interface RunbookWorld {
  runbooks: Record<string, CatalogRunbook>;
  values: Record<string, number>;
  /** `set a=2`, `note x`, `acquire shop`, `poll`: in order. */
  log: string[];
  /** Tokens that actions came with. */
  tokens: (number | undefined)[];
  notices: string[];
  /** Of the plans that are made from now on. */
  digest: string;
  /** What the next calls of an action with these first parameters throw: `set a`; used up from the front. */
  failures: Record<string, Error[]>;
  /** Answers of `pollAction`, used up from the front; then the condition holds. */
  polls: ({ held: boolean; output?: unknown; fault?: string } | Error)[];
  /** What is said of every change that asks to be let in; default: admitted. */
  admission?: Admission;
  /** Called before an action ends. */
  during?: (call: string) => Promise<void>;
}

export const fails = (type: string, message = `${type} for the test`): Error =>
  ApplicationFailure.create({ type, message, nonRetryable: true });

/** Runbooks by name, from YAML. */
export const worldOf = (yaml: string, over: Partial<RunbookWorld> = {}): RunbookWorld => ({
  runbooks: Object.fromEntries(
    Object.entries(parse(yaml) as Record<string, unknown>).map(([name, value]) => [name, runbookSchema.parse(value)]),
  ),
  values: {},
  log: [],
  tokens: [],
  notices: [],
  digest: 'sha256:planned',
  failures: {},
  polls: [],
  ...over,
});

export function sliceOf(
  { runbooks }: Pick<RunbookWorld, 'runbooks'>,
  { runbook, service, parameters }: Pick<RunbookRequest, 'runbook' | 'service' | 'parameters'>,
): RunbookSlice {
  const { policies: _, service: name, spec, ...environment } = serviceSlice();
  return {
    ...environment,
    ...(service === undefined ? {} : { service: { service: name, spec } }),
    runbook,
    runbooks: Object.fromEntries(reachable(runbook, runbooks).map((each) => [each, runbooks[each]!])),
    parameters: fillParameters(runbooks[runbook]!.parameters, parameters).parameters,
    databases: {},
    redis: {},
    actions: ACTIONS,
    notify: ['ops'],
  };
}

interface Call {
  action: string;
  parameters: { key: string; value?: number };
  token?: number;
}

/** Activities of a run on values in memory; what the real ones do is asserted on real components. */
export function runbookActivities(world: RunbookWorld): Record<string, (argument: never) => Promise<unknown>> {
  let token = 0;
  const act = async ({ action, parameters: { key, value }, token: carried }: Call): Promise<unknown> => {
    const failure = world.failures[`${action} ${key}`]?.shift();
    if (failure) throw failure;
    const before = world.values[key] ?? 0;
    if (action === 'look') return { value: before };
    if (action === 'set') world.values[key] = value!;
    const call = action === 'set' ? `set ${key}=${value}` : `note ${key}`;
    world.log.push(call);
    world.tokens.push(carried);
    await world.during?.(call);
    return action === 'set' ? { before, after: value } : { key };
  };
  return {
    loadRunbook: async (request: RunbookRequest) => sliceOf(world, request),
    planRunbook: async ({ slice }: { slice: RunbookSlice }): Promise<Plan> => {
      world.log.push('plan');
      const steps = outline(slice, {}).flatMap((step): PlannedStep[] => {
        if (step.kind === 'gate') return [{ ...step, spec: toGateSpec(step.gate) }];
        return [step.kind === 'change' ? { ...step, lines: [step.action] } : step];
      });
      return { ...composePlan(slice, steps), digest: world.digest };
    },
    planAction: async ({ action, parameters: { key, value } }: Call) => {
      const before = world.values[key] ?? 0;
      if (action !== 'set' || before === value) return { lines: [] };
      return { lines: [`${key}: ${before} → ${value}`], undo: { action: 'set', with: { key, value: before } } };
    },
    runAction: act,
    pollAction: async (call: Call & { is: string }) => {
      world.log.push(`poll ${call.is}`);
      const answer = world.polls.shift() ?? { held: true, output: await act(call) };
      if (answer instanceof Error) throw answer;
      return { looks: 3, ...answer };
    },
    admitChange: async (): Promise<Admission> => world.admission ?? { verdict: 'admitted' },
    acquireLease: async ({ request }: { request: AcquireRequest }): Promise<AcquireReply> => {
      const verb = request.mode === 'hold' ? 'acquire' : 'reserve';
      world.log.push(...leaseScopes(request).map((scope) => `${verb} ${scope}`));
      if (request.mode === 'reserve') return { status: 'reserved', sequence: 1 };
      return { status: 'granted', token: ++token, sequence: 2 };
    },
    claimTarget: async () => void world.log.push('claim'),
    terminateHolder: async () => undefined,
    notify: async ({ text }: { text: string }) => {
      world.notices.push(text);
      return { delivered: [], failed: [] };
    },
  };
}
