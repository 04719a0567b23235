import { z } from 'zod';
import { handleIncident, type HandleIncidentInput, type IncidentAlert } from '../contracts/handle-incident.ts';

const labels = z.record(z.string().max(200), z.string());

/** What Alertmanager sends (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config), as far as it is used. */
export const webhookSchema = z.object({
  version: z.literal('4'),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels,
        annotations: labels,
        startsAt: z.iso.datetime({ offset: true }),
        fingerprint: z.string().min(1).max(64),
      }),
    )
    .min(1),
});

/** Alerts of one webhook that are passed on. More would not be told apart by an incident; a refusal would lose all of them. */
const ALERTS = 5000;

/** Most that one label or annotation may bring into a history, and how many of them. */
const TEXT = 500;
const TEXTS = 30;

/** Alerts of one incident. */
export interface Bundle {
  input: HandleIncidentInput;
  alerts: IncidentAlert[];
}

/**
 * The alerts of a webhook by the incident they belong to. Labels `system` and `environment` say which, `service` too when
 * it is not the system as a whole.
 * @returns besides, how many are not passed on: most often they name no system and environment that could have an incident
 */
export function bundlesOf({ alerts }: z.output<typeof webhookSchema>): { bundles: Bundle[]; ignored: number } {
  const bundles = new Map<string, Bundle>();
  let ignored = Math.max(0, alerts.length - ALERTS);
  for (const { status, fingerprint, startsAt, labels: given, annotations } of alerts.slice(0, ALERTS)) {
    const { system, environment, service } = given;
    const parsed = handleIncident.input.safeParse({
      system,
      environment,
      ...(service === undefined ? {} : { service }),
      requestedBy: 'alertmanager',
    });
    if (!parsed.success) {
      ignored++;
      continue;
    }
    const id = handleIncident.workflowId(parsed.data);
    const bundle = bundles.get(id) ?? { input: parsed.data, alerts: [] };
    bundle.alerts.push({ status, fingerprint, startsAt, labels: cut(given), annotations: cut(annotations) });
    bundles.set(id, bundle);
  }
  return { bundles: [...bundles.values()], ignored };
}

const cut = (texts: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(texts)
      .slice(0, TEXTS)
      .map(([name, text]) => [name, text.slice(0, TEXT)]),
  );
