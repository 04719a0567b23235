import { workflowInfo } from '@temporalio/workflow';
import type { ServiceSlice, Target } from '../src/contracts/catalog.ts';
import { rollBackRelease as contract, type RollBackReleaseResult } from '../src/contracts/roll-back-release.ts';
import { toGateSpec } from '../src/domain/gate.ts';
import { planRollback, type RollbackPlan, type ShownRollbackPlan } from '../src/domain/release/rollback-plan.ts';
import { escapeCommand, servingDeployments } from '../src/domain/release/selectors.ts';
import type { LiveService } from '../src/domain/release/state.ts';
import { targetOf } from '../src/domain/release/target.ts';
import { cleanup, poll, quick, routed, traffic } from './parts/activities.ts';
import { passedClosures, requireOpen } from './parts/admission.ts';
import { carryOut, prepare } from './parts/carry-out.ts';
import { clearUp } from './parts/clear-up.ts';
import { proveColor, raiseColor, switchToColor } from './parts/color.ts';
import { failure } from './parts/failure.ts';
import { useGates } from './parts/gates.ts';
import { parseInput } from './parts/input.ts';
import type { Procedure } from './parts/procedure.ts';

/**
 * Brings traffic back to a release that served well before. Emergency: a running deployment stands down or is fenced
 * off, and traffic goes back at once; planned: after confirmations. When the old pods are gone it redeploys them.
 */
export async function rollBackRelease(raw: unknown): Promise<RollBackReleaseResult> {
  const input = parseInput(contract, raw);
  const requestedAt = Date.now();
  const emergency = input.mode === 'emergency';
  const parts = prepare(contract.procedure, input, {
    scope: input.service,
    summary: `${input.service} back to ${input.to ?? 'the last good release'}: ${input.reason}`,
    priority: 'rollback',
  });
  const { procedure, undo, lease } = parts;
  const gates = useGates(procedure);

  return carryOut(parts, async () => {
    await procedure.step('planning', `Find the way back for ${input.service}`);
    const slice = routed(await traffic('Read the catalog').loadSlice(input));
    procedure.setChannels(slice.policies.rollBackRelease.notify);
    const target = targetOf(slice);
    if (input.planOnly) {
      const live = await quick('Read the Service').observeService({ target, spec: slice.spec });
      const accepted = accept(planRollback(live, input));
      const breakGlass = await passedClosures(procedure, 'rollback');
      const plan: ShownRollbackPlan = breakGlass ? { ...accepted, breakGlass } : accepted;
      return { outcome: 'planned', version: accepted.record.version, deployment: accepted.record.deployment, plan };
    }
    await requireOpen(procedure, 'rollback');
    if (!emergency) await confirm(slice, target);
    procedure.tell(`Rolling back ${input.service} (${input.mode}), asked by ${input.requestedBy}: ${input.reason}`);

    const { token, takenFrom } = await lease.hold({ onBusy: 'queue', preempt: emergency });
    const live = await claim(slice, target, token);
    const plan = accept(planRollback(live, input, takenFrom));
    procedure.publish({
      escape: escapeCommand(target, plan.record.selector),
      escapeDoes: `this sends all traffic to ${plan.record.version}`,
    });
    const deployment = await bringBack({ procedure, slice, target, token, live, plan });
    const tookMs = Date.now() - requestedAt;
    procedure.tell(
      `${plan.record.version} serves ${input.service} again, ${Math.round(tookMs / 1000)} s after the request.`,
    );

    if (takenFrom && takenFrom.how === 'displaced')
      await cleanup('End the displaced procedure').terminateHolder({
        holder: takenFrom.holder,
        reason: `displaced by ${workflowInfo().workflowId}`,
      });
    const { requestedBy } = input;
    await clearUp({ procedure, undo, slice, target, token, keep: deployment, requestedBy });
    const faults = await verify(slice, target, plan);
    return {
      outcome: plan.kind === 'stay' ? 'already-there' : 'rolled-back',
      version: plan.record.version,
      deployment,
      tookMs,
      faults,
      ...(plan.kind === 'switch' && plan.partlyReady ? { partlyReady: plan.partlyReady } : {}),
    };
  });

  /** From here on nothing of a displaced procedure counts. Without an answer of the API server nothing else makes sense. */
  async function claim(slice: ServiceSlice, target: Target, token: number): Promise<LiveService> {
    let live: LiveService | undefined;
    const name = 'Claim the Service and read what serves';
    const run = async (): Promise<void> => {
      await traffic('Claim the Service').claimTarget({ target, token });
      live = await traffic('Read the Service').observeService({ target, spec: slice.spec });
    };
    await undo.insist({ name, run }, 'Unavailable');
    if (!live) throw failure('GaveUp', `"${name}" was skipped, and nothing can be decided without it.`);
    return live;
  }

  async function confirm(slice: ServiceSlice, target: Target): Promise<void> {
    const live = await quick('Read the Service').observeService({ target, spec: slice.spec });
    const plan = accept(planRollback(live, input));
    await lease.reserve({ onBusy: 'queue' });
    await procedure.step('waiting', `Waiting for confirmation to go back to ${plan.record.version}`);
    await gates.pass(slice.policies.rollBackRelease.gates.map(toGateSpec), {
      digest: `${slice.digest.slice(-8)}${plan.record.version}`,
      people: slice.people,
      identity: slice.identity,
      requestedBy: input.requestedBy,
    });
  }

  /** Traffic first: everything that can wait comes later. */
  async function bringBack(work: BringBack): Promise<string> {
    const { plan, live, target, token, slice } = work;
    if (plan.kind === 'stay') {
      procedure.record(`${plan.record.version} already serves`);
      return servingDeployments(live)[0]!.name;
    }
    if (plan.kind === 'redeploy') return redeploy(work, plan.record.image, plan.record.version);
    if (plan.partlyReady) procedure.record(`going back to a partly ready release: ${plan.partlyReady}`);
    if (plan.wait) await waitUntilReady(slice, target, plan.deployment.name);
    const serving = servingDeployments(live)[0];
    const bad = live.releases.find((each) => each.deployment === serving?.name);
    const at = new Date(Date.now()).toISOString();
    const { name, hpa } = plan.deployment;
    await undo.insist({
      name: `Switch traffic to ${name} (${plan.record.version})`,
      run: async () => {
        await traffic(`Switch traffic to ${name}`).switchTraffic({
          target,
          token,
          expect: live.selector,
          record: { ...plan.record, outcome: 'good', at, workflowId: workflowInfo().workflowId },
          ...(bad ? { previous: bad } : {}),
          previousOutcome: 'rolled-back',
          requireReady: 1,
        });
        await cleanup('Watch the EndpointSlices').awaitDrained({ target, deployment: name, timeoutMs: 60_000 });
      },
    });
    if (hpa)
      await undo.insist({
        name: `Unpin autoscaler ${hpa.name}`,
        run: () => cleanup('Unpin the autoscaler').unpinAutoscaler({ target, token, hpa: hpa.name }),
      });
    return plan.deployment.name;
  }

  /** The pods of the good release are gone: the same way as a release, without its gates. */
  async function redeploy({ slice, target, token, live }: BringBack, image: string, version: string): Promise<string> {
    const { preview, ...plan } = await quick('Draft the redeployment').draftRelease({
      slice,
      image,
      version,
      requestedBy: input.requestedBy,
    });
    if (plan.refusals.length > 0)
      throw failure('Refused', plan.refusals.map(({ code, message }) => `${code}: ${message}`).join(' '));
    const work = { procedure, undo, slice, plan: { ...plan, preview }, token };
    await raiseColor(work);
    await proveColor(work);
    await switchToColor(work, 'rolled-back');
    undo.clear();
    await cleanup('Record the release as good').recordOutcome({
      target,
      token,
      deployment: plan.to.deployment,
      outcome: 'good',
    });
    procedure.record(`redeployed ${version}; ${servingDeployments(live)[0]?.name} no longer serves`);
    return plan.to.deployment;
  }

  async function waitUntilReady(slice: ServiceSlice, target: Target, deployment: string): Promise<void> {
    await procedure.step('changing', `Wait until ${deployment} is ready`);
    const timeoutMs = slice.spec.release.rolloutTimeout;
    const rollout = await poll('Watch the rollout').awaitRollout({ target, deployment, timeoutMs });
    if (!rollout.ready)
      throw failure('RolloutFailed', `${deployment} is not fit to take traffic: ${rollout.reason}: ${rollout.detail}`);
  }

  /** A rollback is done when the service answers as the release it went back to; what speaks against it is in the result. */
  async function verify(slice: ServiceSlice, target: Target, { record }: Accepted): Promise<string[]> {
    await procedure.step('changing', `Verify that ${record.version} answers`);
    const { faults } = await quick('Health').checkHealth({
      target,
      spec: slice.spec,
      via: target.kubernetesService,
      ...(record.at ? { expectedVersion: record.version } : {}),
    });
    const verdict = faults.length === 0 ? 'is healthy' : `serves but is not healthy: ${faults.join('; ')}`;
    procedure.record(`${record.version} ${verdict}`);
    if (faults.length > 0) procedure.tell(`${record.version} ${verdict}`);
    return faults;
  }
}

type Accepted = Exclude<RollbackPlan, { kind: 'refused' }>;

interface BringBack {
  procedure: Procedure;
  slice: ServiceSlice;
  target: Target;
  token: number;
  live: LiveService;
  plan: Accepted;
}

function accept(plan: RollbackPlan): Accepted {
  if (plan.kind === 'refused')
    throw failure('Refused', `${plan.refusal.code}: ${plan.refusal.message}`, [plan.refusal]);
  return plan;
}
