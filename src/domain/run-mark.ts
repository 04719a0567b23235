/**
 * Eight digits that tell one run of a workflow from another: short enough to type, or to be part of a name. They are
 * the last ones, because a run id begins with the time (UUID version 7, RFC 9562, 5.7): all runs of the same minute
 * share its first eight.
 */
export const runMark = (runId: string): string => runId.replaceAll('-', '').slice(-8);
