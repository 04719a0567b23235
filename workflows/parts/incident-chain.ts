import { condition, workflowInfo } from '@temporalio/workflow';
import type { IncidentSlice } from '../../src/contracts/handle-incident.ts';
import { escalationTimes } from '../../src/domain/incident/clock.ts';
import type { Incident } from './incident.ts';
import type { Procedure } from './procedure.ts';

/**
 * Tells the on-call chain, one level after another at the times of the severity, until somebody acknowledges or the
 * incident is over. A worse severity starts the clock anew for those who were not told yet.
 */
export async function callChain(
  procedure: Procedure,
  incident: Incident,
  { policy, people, system, environment }: IncidentSlice,
  over: () => boolean,
): Promise<void> {
  const quiet = (): boolean => over() || incident.record.acknowledgedBy !== undefined;
  while (!quiet() && incident.record.levels < policy.onCall.length) {
    const { levels, severity, title } = incident.record;
    const { severitySince: since } = incident.open;
    const times = policy.severities.find(({ name }) => name === severity)!;
    const due = escalationTimes(since, times, policy.onCall.length, policy)[levels]!;
    const level = policy.onCall[levels]!;
    if (due > Date.now()) {
      const summary = `until ${level.name} is told`;
      await condition(() => quiet() || incident.open.severitySince !== since, due - Date.now(), { summary });
      continue;
    }
    incident.change({ levels: levels + 1 });
    const told = people.filter(({ roles }) => roles.some((role) => level.roles.includes(role)));
    incident.note(`told ${level.name}: ${told.map(({ name }) => name).join(', ')}`);
    procedure.awaitRoles([...new Set(policy.onCall.slice(0, levels + 1).flatMap(({ roles }) => roles))]);
    procedure.setChannels([...policy.notify, ...level.channels]);
    procedure.tell(
      `${severity} ${title} (${system} ${environment}): ${level.name}, please acknowledge: ` +
        `windlass ack ${workflowInfo().workflowId}`,
    );
    procedure.setChannels(policy.notify);
  }
  await condition(quiet);
  procedure.awaitRoles([]);
}
