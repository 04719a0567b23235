import { Client, Connection } from '@temporalio/client';
import { encryptionOf } from '../../adapters/temporal/data-converter.ts';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { chooseServer, readSandbox, taskQueueOf, type ConnectionFlags } from '../configuration.ts';
import { GRPC, grpcStatus } from '../../adapters/temporal/grpc.ts';
import { CliError, explain, isUnreachable, unreachable } from '../errors.ts';

/** How long a server may take to answer at first. */
export const CONNECT_TIMEOUT_MS = 5000;
/** How long any single request may take: the client library alone would retry for over half a minute. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** How long a worker may take to answer a query that only adds to what the server's records say. */
export const QUERY_TIMEOUT_MS = 2000;

/** A connection for the length of one command. */
export interface Session {
  client: Client;
  connection: Connection;
  namespace: string;
  taskQueue: string;
  /** `the Temporal server at 127.0.0.1:7233`, for messages. */
  server: string;
  /** Address of a run in the Temporal UI; undefined when the UI's address is unknown. */
  link: (workflowId: string, runId: string) => string | undefined;
  /** Runs requests of which each attempt series must end within the time. */
  bounded: <T>(work: () => Promise<T>, milliseconds?: number) => Promise<T>;
  close: () => Promise<void>;
}

/**
 * Connects as flags, TEMPORAL_* variables, the profile file or a running sandbox say.
 * @param note takes remarks for stderr
 * @throws CliError `unreachable` within 5 s, `configuration-invalid`
 */
export async function openSession(
  flags: ConnectionFlags,
  env: NodeJS.ProcessEnv,
  note: (text: string) => void,
): Promise<Session> {
  const configured = readConfiguration(flags, env);
  const given = configured.connectionOptions;
  const needsSandbox = !flags.address && !given.address;
  const choice = chooseServer(
    flags,
    {
      ...(given.address ? { address: given.address } : {}),
      ...(configured.namespace ? { namespace: configured.namespace } : {}),
    },
    needsSandbox || !env['TEMPORAL_UI_URL'] ? readSandbox(env) : undefined,
    env,
  );
  if (choice.from === 'sandbox') note(`Using the sandbox at ${choice.address}, because no other server is configured.`);
  const server = `the Temporal server at ${choice.address}`;
  const encrypted = await encryptionOf(env);
  const connection = await Connection.connect({
    ...given,
    address: choice.address,
    connectTimeout: CONNECT_TIMEOUT_MS,
  }).catch(async (error: unknown) => {
    const refused = [GRPC.unauthenticated, GRPC.permissionDenied].some((code) => code === grpcStatus(error)?.code);
    if (refused || (!isUnreachable(error) && !/connect|deadline/i.test(String(error)))) throw explain(error, server);
    const { whyUnreachable } = await import('../../adapters/temporal/why-unreachable.ts');
    const why = await whyUnreachable({ ...given, address: choice.address });
    if (why?.trust)
      throw new CliError('not-allowed', `${server} cannot be used: ${why.text}.`, 'How to connect: docs/worker.md#tls');
    throw unreachable(server, why?.text ?? `no answer within ${CONNECT_TIMEOUT_MS / 1000} s`);
  });
  const { namespace } = choice;
  return {
    client: new Client({ connection, namespace, ...encrypted, identity: `windlass@${process.pid}` }),
    connection,
    namespace,
    taskQueue: taskQueueOf(flags, env),
    server,
    link: (workflowId, runId) =>
      choice.ui && `${choice.ui}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}/${runId}/history`,
    bounded: (work, milliseconds = REQUEST_TIMEOUT_MS) => connection.withDeadline(Date.now() + milliseconds, work),
    close: () => connection.close(),
  };
}

function readConfiguration(flags: ConnectionFlags, env: NodeJS.ProcessEnv) {
  try {
    return loadClientConnectConfig({
      ...(flags.profile ? { profile: flags.profile } : {}),
      overrideEnvVars: env as Record<string, string>,
    });
  } catch (error) {
    throw new CliError(
      'configuration-invalid',
      `The Temporal configuration cannot be used: ${(error as Error).message}.`,
      'Look at TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE and --profile.',
    );
  }
}
