import { CancellationScope, sleep } from '@temporalio/workflow';
import type { CatalogGate } from '../../src/contracts/catalog-parts.ts';
import type { ExpressionType } from '../../src/contracts/expression-type.ts';
import type { StepResult } from '../../src/contracts/run-runbook.ts';
import type { ParallelStep, PlainStep, RunbookStep } from '../../src/contracts/runbook.ts';
import { formatDuration } from '../../src/domain/duration.ts';
import { toGateSpec } from '../../src/domain/gate.ts';
import { MAX_RESULT_BYTES, bytesOf, cutOutput } from '../../src/domain/runbook/output.ts';
import { fillParameters, type Parameters } from '../../src/domain/runbook/parameters.ts';
import { constantsOf, outputsOf, scopeOf } from '../../src/domain/runbook/scope.ts';
import { branch, kindOf, labelOf, titleOf, type PlacedStep } from '../../src/domain/runbook/steps.ts';
import { useCalls, type Calls } from './calls.ts';
import { failure } from './failure.ts';
import { useView, type View } from './step-view.ts';
import { orAsk, type StepWork } from './step-work.ts';

/** Results beyond this are kept without their outputs: a workflow's result may have 2 MiB. */
const MAX_RESULTS_BYTES = 512 * 1024;

/** One runbook under way: its own parameters, and the outputs of its steps by name. */
interface Frame extends View {
  /** Of the step that called it, for labels: `restart/`. */
  prefix: string;
}

/** Carries out the steps of a runbook, one after another. */
export function useSteps(work: StepWork): { run(): Promise<() => StepResult[]> } {
  const { parts, gates, slice, input } = work;
  const { procedure, undo } = parts;
  const calls: Calls = useCalls(work);
  const constants = constantsOf(slice, input);
  const results: StepResult[] = [];
  let room = MAX_RESULTS_BYTES;
  let lastGate: Promise<unknown> = Promise.resolve();

  return {
    async run() {
      await carryOutAll(slice.runbook, slice.parameters, '');
      return () => results;
    },
  };

  async function carryOutAll(name: string, parameters: Parameters, prefix: string): Promise<void> {
    const runbook = slice.runbooks[name]!;
    const outputs: Record<string, ExpressionType> = outputsOf(runbook.steps, (action) => slice.actions[action]?.output);
    const frame = { ...useView(scopeOf(runbook, outputs), { ...constants, parameters }), prefix };
    for (const [index, step] of runbook.steps.entries())
      await carryOutStep({ step, place: String(index + 1), path: [index] }, frame);
  }

  async function carryOutStep(placed: PlacedStep, frame: Frame): Promise<void> {
    const label = `${frame.prefix}${labelOf(placed)}`;
    const title = `${frame.prefix}${titleOf(placed)}`;
    const { step } = placed;
    const began = Date.now();
    const note = (outcome: StepResult['outcome'], output?: unknown): StepResult => {
      const result: StepResult = { step: label, kind: kindOf(step), outcome, tookMs: Date.now() - began };
      const kept = output === undefined ? undefined : cutOutput(output, MAX_RESULT_BYTES);
      room -= bytesOf(kept);
      if (kept !== undefined && room > 0) result.output = kept;
      results.push(result);
      return result;
    };
    const decided = await decide(step, title, frame);
    if (decided === 'skip') {
      procedure.record(`${title}: skipped`);
      note('skipped');
      return;
    }
    const undone: { result?: StepResult } = {};
    const attempt = {
      step,
      label,
      title,
      view: frame,
      onUndone: () => void (undone.result && (undone.result.outcome = 'undone')),
    };
    if ('action' in step || 'until' in step) {
      const { outcome, output } = 'action' in step ? await calls.act(attempt, step) : await calls.until(attempt, step);
      if (outcome === 'done' && step.name) frame.remember(step.name, output);
      undone.result = note(outcome, output);
      return;
    }
    await calls.registerUndo(attempt);
    if ('gate' in step) await pass(step.gate, title, frame);
    else if ('wait' in step) await wait(step.wait, title);
    else if ('parallel' in step) await sideBySide(placed, step, frame);
    else await callRunbook(step, label, title, frame);
    undone.result = note('done');
  }

  async function decide({ when }: RunbookStep, title: string, frame: Frame): Promise<'do' | 'skip'> {
    const met = when === undefined || (await orAsk(undo, input, `${title}: when`, () => frame.condition(when)));
    return met ? 'do' : 'skip';
  }

  /** Gates of branches are asked one after another: people decide one thing at a time. */
  async function pass(gate: CatalogGate, title: string, frame: Frame): Promise<void> {
    const mine = lastGate
      .catch(() => undefined)
      .then(async () => {
        // Another branch may have failed while this gate waited for its turn: then nobody is asked any more.
        const scope = CancellationScope.current();
        if (scope.consideredCancelled) await scope.cancelRequested;
        await procedure.step('waiting', title);
        const spec = { ...toGateSpec(gate), asks: String(frame.fill(gate.asks)).slice(0, 500) };
        const { people, identity } = slice;
        await gates.pass([spec], { digest: work.right.plan.digest, people, identity, requestedBy: input.requestedBy });
        work.right.approved(spec);
      });
    lastGate = mine;
    await mine;
  }

  async function wait(ms: number, title: string): Promise<void> {
    await procedure.step('sleeping', `${title} ${formatDuration(ms)}`);
    await sleep(ms, { summary: title.slice(0, 200) });
  }

  /** The first branch that fails for good stops the others; it is reported when all have come to rest. */
  async function sideBySide(placed: PlacedStep, { parallel }: ParallelStep, frame: Frame): Promise<void> {
    await CancellationScope.cancellable(async () => {
      const scope = CancellationScope.current();
      const faults: unknown[] = [];
      const branches = parallel.map((each: PlainStep, at) =>
        carryOutStep(branch(placed, each, at), frame).catch((error: unknown) => {
          faults.push(error);
          scope.cancel();
        }),
      );
      await Promise.all(branches);
      if (faults.length > 0) throw faults[0];
    });
  }

  async function callRunbook(
    step: Extract<PlainStep, { runbook: unknown }>,
    label: string,
    title: string,
    frame: Frame,
  ): Promise<void> {
    const parameters = await orAsk(undo, input, title, () => {
      const given = frame.fill(step.with) as Record<string, unknown>;
      const filled = fillParameters(slice.runbooks[step.runbook]!.parameters, given);
      if (filled.faults.length > 0) throw failure('InvalidInput', filled.faults.join('; '));
      return filled.parameters;
    });
    // Skipped by a person.
    if (parameters) await carryOutAll(step.runbook, parameters, `${label}/`);
  }
}
