/** gRPC status codes that are told apart (google.rpc.Code). */
export const GRPC = {
  canceled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The gRPC status an error carries, or one of its causes does. */
export function grpcStatus(error: unknown): { code: number; details: string } | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'number')
      return { code: at.code, details: 'details' in at && typeof at.details === 'string' ? at.details : at.message };
  }
  return undefined;
}
