import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { DecisionResult, GateView } from '../src/contracts/gates.ts';
import type { OrderResult } from '../src/contracts/messages.ts';
import type { ProgressView } from '../src/contracts/progress.ts';

/** Messages that procedures take. Payloads are `unknown`: whoever sends them, they are validated on arrival. */
export const decide = defineUpdate<DecisionResult, [unknown]>('decide');
export const approve = defineSignal<[unknown]>('approve');
export const reject = defineSignal<[unknown]>('reject');
export const retract = defineSignal<[unknown]>('retract');
export const withdraw = defineSignal<[unknown]>('withdraw');
export const hold = defineSignal<[unknown]>('hold');
export const resume = defineSignal<[unknown]>('resume');
export const abort = defineSignal<[unknown]>('abort');
export const keepColor = defineSignal<[unknown]>('keepColor');
export const rescue = defineUpdate<OrderResult, [unknown]>('rescue');
export const rescueSignal = defineSignal<[unknown]>('rescue');
export const alerts = defineSignal<[unknown]>('alerts');
export const acknowledge = defineUpdate<OrderResult, [unknown]>('acknowledge');
export const acknowledgeSignal = defineSignal<[unknown]>('acknowledge');
export const setSeverity = defineUpdate<OrderResult, [unknown]>('setSeverity');
export const setSeveritySignal = defineSignal<[unknown]>('setSeverity');
export const resolve = defineUpdate<OrderResult, [unknown]>('resolve');
export const resolveSignal = defineSignal<[unknown]>('resolve');
export const gates = defineQuery<GateView[]>('gates');
export const progress = defineQuery<ProgressView>('progress');
