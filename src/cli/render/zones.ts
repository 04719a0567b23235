import { plain, type Paint } from '../io.ts';
import type { Zones, ZoneView } from '../server/zones.ts';
import { ago } from './text.ts';

const COLORS = { green: 'green', unknown: 'yellow', yellow: 'yellow', red: 'red' } as const;

/** `windlass zones`. */
export function renderZones({ zones, unanswered }: Zones, now: number, paint: Paint = plain): string {
  const lines = [
    ...zones.flatMap((zone) => zoneLines(zone, now, paint)),
    ...unanswered.map((id) => `${id} did not answer: does a worker run?`),
  ];
  return lines.length === 0 ? 'No error budget was measured. docs/procedures/error-budget.md' : lines.join('\n');
}

/** The zone and, below it, its objectives and what ends it. */
export function zoneLines(view: ZoneView, now: number, paint: Paint): string[] {
  const { system, environment, zone, since, meaning, liftedBy, slos, deployWorkflow } = view;
  return [
    `${system} ${environment}  ${paint(COLORS[zone], zone)} since ${since} (${ago(since, now)}): ${meaning}`,
    ...slos.map(
      ({ name, zone: of, remaining, burnRate, fault }) =>
        `  ${name}: ${of}, ${remaining === undefined ? 'never measured' : `${remaining} % left`}` +
        `${burnRate === undefined ? '' : `, burn rate ${burnRate}`}${fault === undefined ? '' : `; cannot be measured: ${fault}`}`,
    ),
    ...liftedBy.map((text) => `  lifts when ${text}`),
    ...(view.stale
      ? [
          `  ${paint('yellow', 'stale')}: last measured in full ${view.measuredAt ? ago(view.measuredAt, now) : 'never'}`,
        ]
      : []),
    ...(deployWorkflow ? [`  GitHub workflow ${deployWorkflow.of}: ${deployWorkflow.state}`] : []),
  ];
}
