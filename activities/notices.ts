import type { Notice, NoticeOutcome } from '../src/adapters/notice.ts';
import type { Dependencies } from './dependencies.ts';
import { tellChannels } from './tell.ts';

/** Input of `notify`. */
export interface NoticeRequest extends Notice {
  /** System whose catalog has the channels. */
  system: string;
  channels: string[];
}

export type NoticeResult = NoticeOutcome;

export function createNoticesActivities(deps: Pick<Dependencies, 'catalog' | 'secrets'>) {
  return {
    /** Tells people; as `tellChannels`. Effect: may-repeat, recognizable by the key at the end of the message. */
    notify: (request: NoticeRequest): Promise<NoticeResult> => tellChannels(deps, request),
  };
}
