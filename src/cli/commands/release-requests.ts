import { deployRelease, versionOf, type DeployReleaseInput } from '../../contracts/deploy-release.ts';
import { rollBackRelease, type RollBackReleaseInput } from '../../contracts/roll-back-release.ts';
import type { StartRequest } from '../server/start.ts';
import { checkInput, fillFields } from '../start-input.ts';
import { details, given, idOf } from '../start-request.ts';

/** Flags of `deploy` and `plan deploy`. */
export interface DeployFlags {
  system?: string;
  environment?: string;
  service?: string;
  image?: string;
  release?: string;
  reason?: string;
  queue?: boolean;
  critical?: boolean;
}

/** Flags of `rollback` and `plan rollback`. */
export interface RollbackFlags {
  system?: string;
  environment?: string;
  service?: string;
  mode?: string;
  to?: string;
  reason?: string;
}

/** What `deploy` starts. @throws CliError `usage`, `invalid-input` */
export function deployRequest(
  places: (string | undefined)[],
  flags: DeployFlags,
  me: string,
  planOnly: boolean,
): StartRequest {
  const { system, environment, service, image, release, reason, queue, critical } = flags;
  const fields = fillFields(
    ['system', 'environment', 'service', 'image'],
    places,
    given({ system, environment, service, image }),
  );
  const input: DeployReleaseInput = checkInput(
    deployRelease,
    given({
      ...fields,
      version: release,
      requestedBy: me,
      reason,
      planOnly,
      critical,
      onBusy: queue ? 'queue' : undefined,
    }),
  );
  const version = input.version ?? versionOf(input.image);
  return {
    procedure: deployRelease.procedure,
    workflowId: idOf(deployRelease.workflowId(input), planOnly),
    input,
    summary: `${planOnly ? 'Plan: ' : ''}${input.service} ${version} to ${input.system} ${input.environment}`,
    details: details(deployRelease.description, { ...fields, version, 'asked by': input.requestedBy, reason }),
  };
}

/** What `rollback` starts. @throws CliError `usage`, `invalid-input` */
export function rollbackRequest(
  places: (string | undefined)[],
  flags: RollbackFlags,
  me: string,
  planOnly: boolean,
): StartRequest {
  const { system, environment, service, mode, to, reason } = flags;
  const fields = fillFields(['system', 'environment', 'service'], places, given({ system, environment, service }));
  const input: RollBackReleaseInput = checkInput(
    rollBackRelease,
    given({ ...fields, mode, to, requestedBy: me, reason, planOnly }),
  );
  return {
    procedure: rollBackRelease.procedure,
    workflowId: idOf(rollBackRelease.workflowId(input), planOnly),
    input,
    summary: `${planOnly ? 'Plan: ' : ''}${input.service} back to ${to ?? 'the last good release'} in ${input.system} ${input.environment} (${input.mode})`,
    details: details(rollBackRelease.description, { ...fields, mode, to, 'asked by': input.requestedBy, reason }),
  };
}
