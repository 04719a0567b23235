import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Of workers that encrypt payloads, on both sides of the workflow's sandbox: the message and the stack of a failure become
 * a payload, which the codec encrypts. With the SDK's own they would stay plain text in the history.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
