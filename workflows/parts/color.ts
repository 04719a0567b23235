import { sleep, workflowInfo } from '@temporalio/workflow';
import type { ServiceSlice } from '../../src/contracts/catalog.ts';
import type { ReleasePlan } from '../../src/domain/release/plan-types.ts';
import type { ReleaseOutcome, ReleaseRecord } from '../../src/domain/release/state.ts';
import { cleanup, poll, quick, traffic } from './activities.ts';
import { failure } from './failure.ts';
import type { Procedure } from './procedure.ts';
import type { Expected } from './soak.ts';
import type { Undo } from './undo.ts';

/** What the steps that raise and switch a color work with. */
export interface ColorWork {
  procedure: Procedure;
  undo: Undo;
  slice: ServiceSlice;
  plan: ReleasePlan;
  token: number;
}

/** A key for evidence of this run. */
export const evidenceKey = (name: string): string =>
  `${workflowInfo().workflowId}/${workflowInfo().firstExecutionRunId}/${name}`;

/**
 * Brings the new color up beside the old, out of reach of traffic, and proves it through the preview Service.
 * @throws ApplicationFailure `RolloutFailed` or `SmokeFailed`, with the cause told apart and evidence kept.
 */
export async function raiseColor(work: ColorWork): Promise<Expected> {
  const { procedure, undo, slice, plan, token } = work;
  const { target, to } = plan;
  if (plan.retireEarly) {
    await procedure.step('changing', `Retire ${plan.retireEarly.deployment} early`);
    await poll(`Delete ${plan.retireEarly.deployment}`).removeColor({
      target,
      token,
      ...plan.retireEarly,
      unlessSelected: true,
    });
  }
  if (plan.narrowTo) {
    await procedure.step('changing', `Narrow Service ${target.kubernetesService} to the pods that serve now`);
    const original = withoutHash(plan.narrowTo);
    undo.push({
      name: `Give Service ${target.kubernetesService} its selector back`,
      run: () => traffic('Widen the selector').restoreSelector({ target, token, from: plan.narrowTo!, to: original }),
    });
    await quick('Narrow the selector').narrowService({ target, token, from: original, to: plan.narrowTo });
  }

  await procedure.step('changing', `Create ${to.deployment} (${to.version}) beside ${plan.from.deployment}`);
  const created: { uid?: string } = {};
  undo.push({ name: `Remove ${to.deployment}`, run: () => removeColor(work, created.uid) });
  undo.push({
    name: `Remove preview Service ${plan.preview}`,
    run: () => traffic('Remove the preview Service').removePreview({ target, token, preview: plan.preview }),
  });
  created.uid = (
    await quick(`Create ${to.deployment}`).createColor({ plan, token, createdBy: workflowInfo().workflowId })
  ).uid;

  await procedure.step('changing', `Wait until ${to.replicas} pods of ${to.deployment} are ready`);
  const timeoutMs = slice.spec.release.rolloutTimeout;
  const rollout = await poll('Watch the rollout').awaitRollout({ target, deployment: to.deployment, timeoutMs });
  if (!rollout.ready) {
    await keepEvidence(work);
    throw failure(
      'RolloutFailed',
      `${to.deployment} (${to.version}) did not become ready: ${rollout.reason}: ${rollout.detail}`,
    );
  }
  return { deployment: to.deployment, uid: rollout.uid, templateHash: rollout.templateHash, selector: to.selector };
}

/** Smoke tests and the health contract through the preview Service: no user sees the new color yet. */
export async function proveColor(work: ColorWork): Promise<void> {
  const { procedure, slice, plan } = work;
  const asked = { target: plan.target, spec: slice.spec, via: plan.preview, expectedVersion: plan.to.version };
  await procedure.step('changing', `Smoke tests of ${plan.to.deployment} through ${plan.preview}`);
  const health = await quick('Health through the preview Service').checkHealth(asked);
  const smoke = await quick('Smoke tests through the preview Service').runSmokeTests(asked);
  const faults = [...health.faults, ...smoke.failures];
  if (faults.length === 0) return;
  await keepEvidence(work);
  throw failure('SmokeFailed', `${plan.to.version} failed before it got traffic: ${faults.join('; ')}`);
}

/** Moves all traffic to the new color; the way back is registered first. */
export async function switchToColor(work: ColorWork, previousOutcome: ReleaseOutcome): Promise<void> {
  const { procedure, undo, plan, token } = work;
  const { target, from, to } = plan;
  const now = new Date(Date.now()).toISOString();
  const previous = recordOf(from, previousOutcome, now);
  const record = recordOf(to, 'soaking', now);
  if (plan.hpa) {
    const { hpa } = plan;
    undo.push({
      name: `Give autoscaler ${hpa.name} its minimum back`,
      run: () => traffic('Unpin the old autoscaler').unpinAutoscaler({ target, token, hpa: hpa.name }),
    });
    await quick('Keep the old color at its size').pinAutoscaler({
      target,
      token,
      hpa: hpa.name,
      minimum: from.replicas,
    });
  }
  await procedure.step('changing', `Switch traffic from ${from.deployment} to ${to.deployment}`);
  undo.push({ name: `Let connections to ${to.deployment} drain`, run: () => drain(work, from.deployment) });
  undo.push({
    name: `Bring traffic back to ${from.deployment} (${from.version})`,
    run: async () => {
      await traffic('Switch traffic back').switchTraffic({
        target,
        token,
        expect: to.selector,
        record: previous,
        previous: record,
        previousOutcome: 'rolled-back',
        requireReady: 1,
      });
    },
  });
  await traffic(`Switch traffic to ${to.deployment}`).switchTraffic({
    target,
    token,
    expect: from.selector,
    record,
    previous,
    previousOutcome,
    requireReady: to.replicas,
  });
  await drain(work, to.deployment);
}

/** Waits until only one Deployment has endpoints, then for connections that are still open elsewhere. */
export async function drain({ procedure, slice, plan }: ColorWork, deployment: string): Promise<void> {
  await cleanup('Watch the EndpointSlices').awaitDrained({ target: plan.target, deployment, timeoutMs: 60_000 });
  procedure.record(`only ${deployment} has endpoints`);
  await sleep(slice.spec.release.drain, { summary: 'Let open connections drain' });
}

async function removeColor({ plan, token }: ColorWork, uid: string | undefined): Promise<void> {
  const { target, to } = plan;
  await cleanup(`Delete ${to.deployment}`).removeColor({
    target,
    token,
    deployment: to.deployment,
    unlessSelected: true,
    // Without a UID the creation may or may not have happened; the marker of this workflow decides then.
    ...(uid ? { uid } : { createdBy: workflowInfo().workflowId }),
  });
}

async function keepEvidence({ procedure, plan }: ColorWork): Promise<void> {
  const kept = await poll('Keep evidence of the color').keepColorEvidence({
    target: plan.target,
    deployment: plan.to.deployment,
    evidenceKey: evidenceKey(`${plan.to.deployment}.json`),
  });
  procedure.record(`evidence kept: ${kept.uri}`);
}

function recordOf(side: ReleasePlan['from'], outcome: ReleaseOutcome, at: string): ReleaseRecord {
  const { deployment, color, image, version, selector } = side;
  return {
    deployment,
    image,
    version,
    selector,
    outcome,
    at,
    workflowId: workflowInfo().workflowId,
    ...(color ? { color } : {}),
  };
}

function withoutHash(selector: Record<string, string>): Record<string, string> {
  const { 'pod-template-hash': _hash, ...rest } = selector;
  return rest;
}
