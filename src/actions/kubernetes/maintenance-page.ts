import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { annotate, pointer, unannotate } from '../../adapters/kubernetes/json-patch.ts';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import type { Deployment, Labels, Service } from '../../domain/release/objects.ts';
import { labelText } from '../../domain/release/ownership.ts';
import { sameLabels } from '../../domain/release/selectors.ts';
import { MARKS } from '../../domain/release/state.ts';
import { defineAction, type ActionContext } from '../action.ts';
import { changeObject, planChange, type Change } from './change-object.ts';

const service = kubernetesName.describe('Service whose traffic it is');
const page = kubernetesName.describe('Deployment that serves the page on the ports of the Service');
const output = z.object({ changed: z.boolean(), selector: z.string() });
const SELECTOR = pointer('spec', 'selector');

/**
 * All traffic of a Service to the pods of a page. What the Service selected stays on it in an annotation, written in the
 * same patch, so that nothing but the Service itself is needed for the way back. Convergent.
 */
export const showMaintenancePage = defineAction({
  name: 'showMaintenancePage',
  description: 'Sends all traffic of a Service to a page, until hideMaintenancePage',
  group: 'kubernetes',
  parameters: z.strictObject({ service, page }),
  example: { service: 'shop', page: 'maintenance-page' },
  output,
  changes: 'convergent',

  async plan(context, { service: name, page }) {
    const pods = await readPage(context, page);
    return planChange(context, { kind: 'Service', name }, (found) => show(found, page, pods));
  },

  async run(context, { service: name, page }) {
    const pods = await readPage(context, page);
    const { after, lines } = await changeObject(context, { kind: 'Service', name }, (found) => show(found, page, pods));
    return outcome(after, lines);
  },
});

/** The Service selects again what it did before the page. Convergent: without a page there is nothing to do. */
export const hideMaintenancePage = defineAction({
  name: 'hideMaintenancePage',
  description: 'Sends the traffic of a Service back to what served before showMaintenancePage',
  group: 'kubernetes',
  parameters: z.strictObject({ service }),
  example: { service: 'shop' },
  output,
  changes: 'convergent',
  plan: (context, { service: name }) => planChange(context, { kind: 'Service', name }, hide),

  async run(context, { service: name }) {
    const { after, lines } = await changeObject(context, { kind: 'Service', name }, hide);
    return outcome(after, lines);
  },
});

/** Labels of the pods of the page. @throws Refused when none is ready: there would be neither page nor service */
async function readPage(context: ActionContext, name: string): Promise<Labels> {
  const found: Deployment = await (
    await context.cluster()
  ).read('Deployment', context.place.environment.namespace, name);
  const ready = found.status?.readyReplicas ?? 0;
  if (ready === 0) throw failure('Refused', `Deployment ${name} has no ready pod: nobody would see its page.`);
  return found.spec.selector.matchLabels ?? {};
}

function show({ metadata, spec }: Service, page: string, pods: Labels): Change | undefined {
  const selected = spec.selector ?? {};
  if (sameLabels(selected, pods)) return undefined;
  if (metadata.annotations?.[MARKS.maintenance] !== undefined)
    throw failure(
      'Interfered',
      `Service ${metadata.name} is in maintenance mode and selects ${labelText(selected)}, expected ${labelText(pods)}: somebody else changed it.`,
    );
  return {
    lines: [`Service ${metadata.name}: traffic from ${labelText(selected)} to page ${page} (${labelText(pods)})`],
    operations: [
      { op: 'replace', path: SELECTOR, value: pods },
      ...annotate(metadata, { [MARKS.maintenance]: JSON.stringify(selected) }),
    ],
    undo: { action: 'hideMaintenancePage', with: { service: metadata.name } },
  };
}

function hide({ metadata, spec }: Service): Change | undefined {
  const former = metadata.annotations?.[MARKS.maintenance];
  if (former === undefined) return undefined;
  const before = JSON.parse(former) as Labels;
  return {
    lines: [`Service ${metadata.name}: traffic from ${labelText(spec.selector ?? {})} back to ${labelText(before)}`],
    operations: [{ op: 'replace', path: SELECTOR, value: before }, ...unannotate(metadata, MARKS.maintenance)],
  };
}

const outcome = ({ spec }: Service, lines: string[]) => ({
  changed: lines.length > 0,
  selector: labelText(spec.selector ?? {}),
});
