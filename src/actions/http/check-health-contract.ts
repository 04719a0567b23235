import { z } from 'zod';
import { failure, isFailure } from '../../adapters/failure.ts';
import { kubernetesName, url } from '../../contracts/catalog-parts.ts';
import { duration, version } from '../../contracts/scalars.ts';
import { judgeHealthAnswer, type HealthAnswer } from '../../domain/health.ts';
import { defineAction, type ActionContext } from '../action.ts';
import { judged, orFail, verdict } from '../verdict.ts';

const WITHIN_MS = 5_000;

/**
 * The health contract: `{ status, timestamp, version, uptime, checks: { name: "healthy" } }`. A Service is asked through
 * the API server, so that the worker needs no way into the network of its pods.
 */
export const checkHealthContract = defineAction({
  name: 'checkHealthContract',
  description:
    'Asks an application for its health and names everything wrong with the answer: checks, version, age; an address, a Service, or the service the runbook is for',
  group: 'http',
  parameters: z
    .strictObject({
      url: url.optional().describe('Address of its health answer'),
      service: kubernetesName.optional().describe('Name of a Kubernetes Service'),
      port: z.int().min(1).max(65535).default(80).describe('Port of that Service'),
      path: z.string().startsWith('/').max(500).default('/health').describe('Path of its health answer'),
      checks: z.array(z.string().max(100)).max(50).optional().describe('Checks that must be in the answer'),
      maxAge: duration.optional().describe('An older (or future) timestamp is a fault; default 60s'),
      version: version.optional().describe('Expected version'),
      orFail,
    })
    .refine((given) => !(given.url && given.service), 'expected url or service, got both'),
  example: { service: 'shop', checks: ['database', 'redis'] },
  output: z.object({ ...verdict, version: z.string() }),
  changes: 'nothing',

  async run(context, parameters) {
    const { where, answer } = await ask(context, parameters);
    const own = parameters.url || parameters.service ? undefined : context.place.service?.spec.health;
    const report = judgeHealthAnswer(where, answer, context.now(), {
      checks: parameters.checks ?? own?.checks ?? [],
      maxAge: parameters.maxAge ?? own?.maxAge ?? 60_000,
      ...(parameters.version ? { expectedVersion: parameters.version } : {}),
    });
    return { ...judged(report.faults, parameters.orFail), version: report.version ?? '' };
  },
});

interface Asked {
  url?: string | undefined;
  service?: string | undefined;
  port: number;
  path: string;
}

async function ask(
  context: ActionContext,
  { url, service, port, path }: Asked,
): Promise<{ where: string; answer: HealthAnswer }> {
  if (url) return { where: url, answer: await askUrl(context, url) };
  const { spec } = context.place.service ?? {};
  const via = service
    ? { name: service, port, path }
    : spec && { name: spec.kubernetesService, port: spec.port, path: spec.health.path };
  if (!via)
    throw failure('InvalidInput', 'checkHealthContract: expected url or service, for the runbook is for no service');
  const cluster = await context.cluster();
  const { namespace } = context.place.environment;
  return { where: `${via.name}${via.path}`, answer: await cluster.askService(namespace, via.name, via.port, via.path) };
}

/** One that cannot be reached is unhealthy, as a Service without endpoints is. */
async function askUrl(context: ActionContext, url: string): Promise<HealthAnswer> {
  try {
    return await context.http({ url, timeoutMs: WITHIN_MS });
  } catch (error) {
    if (isFailure(error, 'Unavailable')) return { status: 0, text: '', unreachable: error.message };
    throw error;
  }
}
