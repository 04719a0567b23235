import { GRPC, grpcStatus } from '../adapters/temporal/grpc.ts';

/** Exit codes of `windlass`. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Codes of `{"error": {"code", …}}`; docs/cli.md lists them with their meaning. */
export type ErrorCode =
  | 'usage'
  | 'invalid-input'
  | 'input-too-large'
  | 'configuration-invalid'
  | 'unreachable'
  | 'not-allowed'
  | 'not-found'
  | 'not-running'
  | 'already-running'
  | 'no-worker'
  | 'timeout'
  | 'refused'
  | 'failed'
  | 'search-attributes-missing'
  | 'server-error';

/** What went wrong, in words that say what was expected and what came, and what to do about it. */
export class CliError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, hint?: string) {
    super(message);
    this.name = 'CliError';
    this.code = code;
    this.hint = hint;
  }

  get exitCode(): ExitCode {
    return this.code === 'usage' || this.code === 'invalid-input' || this.code === 'input-too-large'
      ? EXIT.usage
      : EXIT.failed;
  }
}

/**
 * Puts any error in the terms of the CLI. Errors of the client library are told by their shape, so that a failing
 * `--help` need not load it.
 */
export function explain(error: unknown, server = 'the Temporal server'): CliError {
  if (error instanceof CliError) return error;
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  if (name === 'WorkflowNotFoundError')
    return new CliError(
      'not-found',
      `Nothing with this id is known to ${server}.`,
      'See what there is: windlass list --all',
    );
  const fault = payloadFault(error);
  if (fault) return fault;
  const status = grpcStatus(error);
  const detail = status?.details ?? message;
  if (/no mapping defined for search attribute|invalid search attribute|Ops[A-Z]\w+ is not/i.test(detail))
    return new CliError(
      'search-attributes-missing',
      `${server} does not know Windlass's search attributes: ${detail}.`,
      'Register them: npm run search-attributes',
    );
  switch (status?.code) {
    case GRPC.unavailable:
    case GRPC.deadlineExceeded:
      return unreachable(server, detail);
    case GRPC.notFound:
      return new CliError(
        'not-found',
        `${server} does not know it: ${detail}.`,
        'See what there is: windlass list --all',
      );
    case GRPC.permissionDenied:
    case GRPC.unauthenticated:
      return new CliError(
        'not-allowed',
        `${server} refuses this identity: ${detail}.`,
        'Check TEMPORAL_API_KEY or the TLS certificate of the profile.',
      );
    case undefined:
      return new CliError('server-error', message);
    default:
      return new CliError('server-error', `${server} answered: ${detail}.`);
  }
}

/** What the payload codec says: a key is not at hand, or is none. */
function payloadFault(error: unknown): CliError | undefined {
  if (!(error instanceof Error) || !('type' in error)) return undefined;
  const { type, message } = error;
  if (type !== 'WrongKey' && type !== 'PayloadCorrupt' && type !== 'SecretMissing') return undefined;
  return new CliError(
    type === 'PayloadCorrupt' ? 'server-error' : 'configuration-invalid',
    `${message[0]!.toUpperCase()}${message.slice(1)}.`,
    'WINDLASS_PAYLOAD_KEYS names the keys as for the workers: docs/worker.md#encrypted-payloads',
  );
}

/** The server did not answer in time, and where to look. */
export function unreachable(server: string, detail: string): CliError {
  return new CliError(
    'unreachable',
    `${server} cannot be reached: ${detail}.`,
    'Is it running? Point to another one with --address or TEMPORAL_ADDRESS; start the sandbox with `npm run sandbox -- up`.',
  );
}

/** True when a server went away or did not answer in time: worth asking again. */
export function isUnreachable(error: unknown): boolean {
  const code = error instanceof CliError ? undefined : grpcStatus(error)?.code;
  return code === GRPC.unavailable || code === GRPC.deadlineExceeded || code === 1; /* canceled with its connection */
}
