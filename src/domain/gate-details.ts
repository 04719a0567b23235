import type { GateSpec } from '../contracts/gates.ts';
import { json, or, readableTime, shellWord } from './details-text.ts';
import { rolesOfGate, type Person } from './gate-rights.ts';
import { expiresAt, type GateState } from './gate-state.ts';
import { whoVoted } from './gate-view.ts';

/** Who may decide gates and who asked, for texts; `at` says which delegations hold. */
export interface GateAudience {
  people: Person[];
  requestedBy: string;
  at: number;
}

/** The waiting gates with the messages that decide them, for the Signal or Update form of the Temporal UI. */
export function renderGates(gates: GateState[], workflowId: string, audience: GateAudience): string {
  return gates
    .filter(({ outcome }) => outcome === 'waiting')
    .map((gate) => {
      const { spec, approvals } = gate;
      const until = readableTime(new Date(expiresAt(gate)).toISOString());
      return [
        `### ${spec.asks}`,
        [
          `**Gate:** ${spec.name} (${spec.kind})`,
          `**Who decides:** ${whoDecides(gate, audience)}`,
          ...(approvals.length > 0 ? [`**Approved so far:** ${approvals.map(whoVoted).join(', ')}`] : []),
          `**Until:** ${until}; ${silenceOf(gate)}`,
          ...(spec.breakGlass
            ? [
                `**Emergency:** ${spec.breakGlass.roles.join(' or ')} may pass it alone, with \`"breakGlass": true\` and a reason; people are told at once, and it is reviewed`,
              ]
            : []),
        ].join('\n'),
        spec.identity === 'verified'
          ? 'It wants a verified identity: `windlass login`, then\n' +
            or(`approve ${shellWord(workflowId)} ${spec.name}${flagsOf(spec)}`)
          : 'More Actions → Send a Signal → `approve` (or `reject`), with your name for `<you>`:\n' +
            json({ gate: spec.name, by: '<you>', code: gate.code, ...paperOf(spec) }) +
            '\n' +
            or(`approve ${shellWord(workflowId)} ${spec.name} --as <you>${flagsOf(spec)}`),
      ].join('\n\n');
    })
    .join('\n\n');
}

const required = ({ form }: GateSpec): [string, string][] =>
  (form?.required ?? []).map((name) => [name, `<${form?.properties[name]?.description ?? name}>`]);

/** What an approval must bring besides, to be filled in. */
const paperOf = (spec: GateSpec): object => ({
  ...(spec.comment === 'required' ? { reason: '<comment>' } : {}),
  ...(spec.form ? { fields: Object.fromEntries(required(spec)) } : {}),
});

const flagsOf = (spec: GateSpec): string =>
  [
    ...(spec.comment === 'required' ? [" --comment '<comment>'"] : []),
    ...required(spec).map(([name, about]) => ` --field ${shellWord(`${name}=${about}`)}`),
  ].join('');

function silenceOf({ spec, escalatedAt }: GateState): string {
  if (spec.onExpiry === 'continue') return 'silence lets it go on';
  if (spec.onExpiry === 'escalate' && escalatedAt === undefined)
    return `then ${spec.escalation?.roles.join(' or ') ?? 'others'} may decide too`;
  return 'silence is a no';
}

function whoDecides(gate: GateState, { people, requestedBy, at }: GateAudience): string {
  const { quorum, fourEyes } = gate.spec;
  const roles = rolesOfGate(gate);
  const has = (given: string[]): boolean => given.some((role) => roles.includes(role));
  const able = people.filter((person) => has(person.roles));
  const free = able.filter(({ name }) => !fourEyes || name !== requestedBy).map(({ name }) => name);
  const delegates = able.flatMap(({ name, delegates = [] }) =>
    delegates
      .filter(
        ({ to, roles: given, until }) => has(given) && at < Date.parse(until) && (!fourEyes || to !== requestedBy),
      )
      .map(({ to, until }) => `${to} for ${name} until ${readableTime(new Date(Date.parse(until)).toISOString())}`),
  );
  const named = [...free, ...delegates];
  const shown = named.length > 8 ? `${named.slice(0, 8).join(', ')} and ${named.length - 8} more` : named.join(', ');
  const except = free.length < able.length ? `; not ${requestedBy}, who asked for it` : '';
  return `${quorum === 1 ? '' : `${quorum} people of `}${roles.join(' or ')} (${shown || 'nobody'}${except})`;
}
