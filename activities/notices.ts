import { activityInfo } from '@temporalio/activity';
import { gateId } from '../src/contracts/gate-id.ts';
import type { Notice, NoticeGate, NoticeOutcome } from '../src/adapters/notice.ts';
import type { Dependencies } from './dependencies.ts';
import { tellChannels } from './tell.ts';

/** Input of `notify`. */
export interface NoticeRequest extends Omit<Notice, 'gates'> {
  /** System whose catalog has the channels. */
  system: string;
  channels: string[];
  /** Gates of the procedure that it asks to decide. */
  gates?: Pick<NoticeGate, 'name' | 'code' | 'direct'>[];
}

export type NoticeResult = NoticeOutcome;

export function createNoticesActivities(deps: Pick<Dependencies, 'catalog' | 'secrets' | 'approvalUrl'>) {
  return {
    /** Tells people; as `tellChannels`. Effect: may-repeat, recognizable by the key at the end of the message. */
    notify: ({ gates = [], ...request }: NoticeRequest): Promise<NoticeResult> =>
      tellChannels(deps, { ...request, ...(gates.length > 0 ? { gates: gates.map(withAddress) } : {}) }),
  };

  /** Of exactly this run: a button pressed later decides no other. */
  function withAddress(gate: Pick<NoticeGate, 'name' | 'code' | 'direct'>): NoticeGate {
    const { workflowId, runId } = activityInfo().workflowExecution!;
    const id = gateId({ workflowId, runId, gate: gate.name });
    return { ...gate, id, ...(deps.approvalUrl ? { url: `${deps.approvalUrl}/gates/${id}` } : {}) };
  }
}
