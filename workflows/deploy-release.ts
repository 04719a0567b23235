import { workflowInfo } from '@temporalio/workflow';
import type { ServiceSlice } from '../src/contracts/catalog.ts';
import {
  deployRelease as contract,
  versionOf,
  type DeployReleaseInput,
  type DeployReleaseResult,
} from '../src/contracts/deploy-release.ts';
import { retireColor } from '../src/contracts/retire-color.ts';
import { reviewRelease } from '../src/contracts/review-release.ts';
import { formatDuration } from '../src/domain/duration.ts';
import type { ReleasePlan } from '../src/domain/release/plan-types.ts';
import { escapeCommand } from '../src/domain/release/selectors.ts';
import { quick, routed } from './parts/activities.ts';
import { closedRefusals, requireOpen } from './parts/admission.ts';
import { carryOut, prepare } from './parts/carry-out.ts';
import { checkFitness, faultsOf } from './parts/checks.ts';
import { proveColor, raiseColor, switchToColor, type ColorWork } from './parts/color.ts';
import { failure } from './parts/failure.ts';
import { startFollowUp } from './parts/follow-up.ts';
import { useGates, type Gates } from './parts/gates.ts';
import { parseInput } from './parts/input.ts';
import { runCatalogJob } from './parts/job.ts';
import type { Procedure } from './parts/procedure.ts';
import { refuse } from './parts/refuse.ts';
import { soak, type Expected } from './parts/soak.ts';

/** A plan that keeps changing while people approve it is not approved any more often than this. */
const PLAN_ROUNDS = 5;

/**
 * Blue-green release of one service. It closes after the soak; the old color goes a day later, by `retireColor`.
 * Input: `DeployReleaseInput`; result: `DeployReleaseResult`; any other ending closes it as failed with a named type.
 */
export async function deployRelease(raw: unknown): Promise<DeployReleaseResult> {
  const input = parseInput(contract, raw);
  const version = input.version ?? versionOf(input.image);
  const parts = prepare(contract.procedure, input, {
    scope: input.service,
    summary: `${input.service} ${version} to ${input.environment}`,
    priority: 'deployment',
  });
  const { procedure, undo, lease } = parts;
  const gates = useGates(procedure);
  const asked = { service: input.service, critical: input.critical };
  if (input.critical) procedure.show('critical', `CRITICAL, says ${input.requestedBy}: ${input.reason}`);

  return carryOut(parts, async () => {
    await procedure.step('planning', `Plan ${input.service} ${version}`);
    const slice = routed(await quick('Read the catalog').loadSlice(input));
    procedure.setChannels(slice.policies.deployRelease.notify);
    let plan = await draft(slice);
    if (input.planOnly) {
      const refusals = [...plan.refusals, ...(await closedRefusals(procedure, 'deployment', Date.now(), asked))];
      return { outcome: 'planned', version, plan: { ...plan, refusals } };
    }
    refuse(plan);
    await requireOpen(procedure, 'deployment', Date.now(), asked);
    await lease.reserve({ onBusy: input.onBusy });
    await checkFitness(procedure, slice, plan);

    const token = await approvedLease();
    await quick('Claim the Service').claimTarget({ target: plan.target, token });
    const work: ColorWork = { procedure, undo, slice, plan, token };
    await runCatalogJob(work, 'preDeployment', plan.target.kubernetesService);
    const expected = await raiseColor(work);
    await runCatalogJob(work, 'postDeployment', plan.preview);
    await proveColor(work);
    await promote(work);
    await switchToColor(work, 'good');
    procedure.tell(`${input.service} ${version} serves all traffic; watching it.`);
    await watch(work, expected);
    return await finish(work);

    async function draft(of: ServiceSlice): Promise<ReleasePlan> {
      const drafted = await quick('Draft the plan').draftRelease({
        slice: of,
        image: input.image,
        version,
        requestedBy: input.requestedBy,
      });
      procedure.publish({
        plan: drafted,
        escape: escapeCommand(drafted.target, drafted.from.selector),
        escapeDoes: `this sends all traffic to ${drafted.from.version}`,
      });
      return drafted;
    }

    /** Approvals first, then the lease, then the plan again: what was approved must be what is done. */
    async function approvedLease(): Promise<number> {
      for (let round = 1; round <= PLAN_ROUNDS; round++) {
        await approve(gates, procedure, slice, plan, input);
        // People may have taken hours, and others may hold the lease for as long.
        await requireOpen(procedure, 'deployment', Date.now(), asked);
        const { token: granted } = await lease.hold({ onBusy: 'queue', preempt: false });
        await requireOpen(procedure, 'deployment', Date.now(), asked);
        const now = await draft(slice);
        refuse(now);
        const changed = now.digest !== plan.digest;
        plan = now;
        await checkFitness(procedure, slice, plan);
        if (!changed) return granted;
        procedure.record('the target changed while people decided: asking again');
      }
      throw failure(
        'Interfered',
        `The target of ${input.service} keeps changing while people decide; find out who changes it.`,
      );
    }
  });

  /** The color stays: record it, let the old one go later, tell people. */
  async function finish({ slice, plan, token }: ColorWork): Promise<DeployReleaseResult> {
    const { target, from, to } = plan;
    await procedure.step('changing', `Record ${version} as good`);
    await quick('Record the release as good').recordOutcome({
      target,
      token,
      deployment: to.deployment,
      outcome: 'good',
    });
    undo.clear();
    await quick('Remove the preview Service').removePreview({ target, token, preview: plan.preview });
    const retiresAt = new Date(Date.now() + slice.spec.release.retireAfter).toISOString();
    const about = { system: input.system, environment: input.environment, service: input.service };
    const retireWorkflowId = await startFollowUp(retireColor, {
      ...about,
      deployment: from.deployment,
      uid: from.uid ?? '',
      retireAt: retiresAt,
      requestedBy: input.requestedBy,
    });
    const dueAt = new Date(Date.now() + slice.spec.release.reviewAfter).toISOString();
    await startFollowUp(reviewRelease, { ...about, version, release: workflowInfo().workflowId, dueAt });
    procedure.tell(
      `${input.service} ${version} is released. ${from.deployment} (${from.version}) goes at ${retiresAt}; keep it: windlass keep-color ${retireWorkflowId}. Review due ${dueAt}.`,
    );
    return {
      outcome: 'released',
      version,
      ...(to.color ? { color: to.color } : {}),
      previous: { deployment: from.deployment, version: from.version, retiresAt, retireWorkflowId },
      commit: `Deployment ${to.deployment}: image ${to.image}; Service ${target.kubernetesService}: selector ${JSON.stringify(to.selector)}`,
    };
  }

  /** A person may want the last word once the new color is proved and before anybody is served by it. */
  async function promote({ slice, plan }: ColorWork): Promise<void> {
    if (plan.promotion.length === 0) return;
    await procedure.step(
      'waiting',
      `Waiting for the promotion of ${plan.to.deployment} (${version})`,
      'switch traffic',
    );
    await gates.pass(plan.promotion, {
      digest: plan.digest,
      people: slice.people,
      identity: slice.identity,
      requestedBy: input.requestedBy,
    });
  }

  /** The soak, and what follows from each verdict. */
  async function watch(work: ColorWork, expected: Expected): Promise<void> {
    await procedure.step('soaking', `Soak ${version}`, 'record it as good');
    const { verdict, reasons } = await soak(procedure, { ...work, expected });
    if (verdict === 'Pass') return;
    if (verdict === 'Fail') throw failure('MetricsFailed', `${version} missed its targets: ${reasons.join('; ')}.`);
    await procedure.step('waiting', `The soak ended ${verdict}: ${reasons.join('; ')}`);
    await gates.pass(
      [
        {
          name: verdict === 'Interfered' ? 'interference' : 'unclear-soak',
          kind: 'confirmation',
          asks: `The soak of ${version} ended ${verdict}: ${reasons.join('; ')}. Approve to keep ${version}, reject to go back to ${work.plan.from.version}.`,
          roles: rolesOf(work.slice),
          quorum: 1,
          fourEyes: false,
          expiresAfterMs: 60 * 60_000,
        },
      ],
      {
        digest: work.plan.digest,
        people: work.slice.people,
        identity: work.slice.identity,
        requestedBy: input.requestedBy,
      },
    );
  }
}

async function approve(
  gates: Gates,
  procedure: Procedure,
  slice: ServiceSlice,
  plan: ReleasePlan,
  input: DeployReleaseInput,
): Promise<void> {
  if (plan.gates.length === 0) return;
  await procedure.step(
    'waiting',
    `Waiting for approval of ${input.service} ${plan.to.version}`,
    `${plan.to.version} starts beside ${plan.from.version} out of reach of users, is tested, gets all traffic, and is watched for ${formatDuration(slice.spec.release.soak.duration)}; whatever fails brings ${plan.from.version} back`,
  );
  procedure.show(
    'plan',
    `Change: ${plan.from.version} → ${plan.to.version}, asked by ${input.requestedBy}${input.reason ? `: ${input.reason}` : ''}`,
  );
  procedure.show('reach', `Reach: ${plan.blastRadius}`);
  procedure.show('undo', `Way back: ${plan.reversibility}`);
  await gates.pass(plan.gates, {
    digest: plan.digest,
    people: slice.people,
    identity: slice.identity,
    requestedBy: input.requestedBy,
    recheck: { everyMs: slice.spec.release.recheckEvery, run: () => faultsOf(slice, plan) },
  });
  procedure.record(`approved: ${gates.summary()}`);
}

/** Whoever may decide anything about releases may decide what an unclear soak means. */
function rolesOf(slice: ServiceSlice): string[] {
  const roles = slice.policies.deployRelease.gates.flatMap((gate) => gate.roles);
  return [...new Set(roles.length > 0 ? roles : slice.people.flatMap((each) => each.roles))];
}
