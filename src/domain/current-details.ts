import type { GateSpec } from '../contracts/gates.ts';
import type { ProgressView } from '../contracts/progress.ts';
import { expiresAt, type GateState } from './gate-state.ts';

/** The server's limit for current details is 20,000 bytes; what is cut is the oldest of the timeline. */
const LIMIT = 18_000;
/** Characters of a line of code: the Temporal UI shows the details in half a page and does not wrap code. */
const CODE_WIDTH = 60;

/**
 * The text the Temporal UI shows of a running procedure: what happens, who is awaited, what to type, and the command
 * that brings traffic back when nothing else answers.
 *
 * It is Markdown, written for how that UI renders it: it keeps line ends inside a paragraph, and each empty line takes
 * much room.
 */
export function renderDetails(view: ProgressView, workflowId: string, appendix: string): string {
  const facts = [
    ...(view.held ? [`**On hold** by ${view.held.by}: ${view.held.reason}`] : []),
    ...(view.awaiting.length > 0 ? [`**Waiting for:** ${view.awaiting.join(', ')}`] : []),
    ...(view.next ? [`**Then:** ${view.next}`] : []),
    ...(view.etaAt ? [`**Expected end:** ${readableTime(view.etaAt)}`] : []),
  ];
  const head = [
    `## ${view.step}`,
    facts.join('\n'),
    ...(view.held
      ? [`Go on with Signal \`resume\`:\n${json({ by: '<you>' })}\n${or(`resume ${shellWord(workflowId)} --as <you>`)}`]
      : []),
    view.lines.map((line) => `- ${line}`).join('\n'),
    view.phase === 'rescue' ? renderRescue(workflowId) : '',
    appendix,
    view.escape
      ? `### Back by hand\nWhen nothing else answers${view.escapeDoes ? `, ${view.escapeDoes}` : ''}:\n${code(foldCommand(view.escape))}`
      : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
  const title = '### So far (UTC)';
  const timeline: string[] = [];
  let room = LIMIT - byteLength(head) - byteLength(title);
  for (const { at, text } of [...view.timeline].reverse()) {
    const line = `- ${at.slice(11, 19)} ${text}`;
    room -= byteLength(line) + 1;
    if (room < 0) break;
    timeline.unshift(line);
  }
  return [head, title, timeline.join('\n')].join('\n\n');
}

/** Who may decide gates and who asked, for texts. */
export interface GateAudience {
  people: { name: string; roles: string[] }[];
  requestedBy: string;
}

/** The waiting gates with the messages that decide them, for the Signal or Update form of the Temporal UI. */
export function renderGates(gates: GateState[], workflowId: string, audience: GateAudience): string {
  return gates
    .filter(({ outcome }) => outcome === 'waiting')
    .map((gate) => {
      const { name, asks } = gate.spec;
      return [
        `### ${asks}`,
        [
          `**Gate:** ${name} (${gate.spec.kind})`,
          `**Who decides:** ${whoDecides(gate.spec, audience)}`,
          ...(gate.approvals.length > 0
            ? [`**Approved so far:** ${gate.approvals.map(({ by }) => by).join(', ')}`]
            : []),
          `**Until:** ${readableTime(new Date(expiresAt(gate)).toISOString())}; silence is a no`,
        ].join('\n'),
        'More Actions → Send a Signal → `approve` (or `reject`), with your name for `<you>`:\n' +
          json({ gate: name, by: '<you>', code: gate.code }) +
          '\n' +
          or(`approve ${shellWord(workflowId)} ${name} --as <you>`),
      ].join('\n\n');
    })
    .join('\n\n');
}

function whoDecides({ roles, quorum, fourEyes }: GateSpec, { people, requestedBy }: GateAudience): string {
  const able = people.filter((person) => person.roles.some((role) => roles.includes(role)));
  const free = able.filter(({ name }) => !fourEyes || name !== requestedBy).map(({ name }) => name);
  const shown = free.length > 8 ? `${free.slice(0, 8).join(', ')} and ${free.length - 8} more` : free.join(', ');
  const except = free.length < able.length ? `; not ${requestedBy}, who asked for it` : '';
  return `${quorum === 1 ? '' : `${quorum} people of `}${roles.join(' or ')} (${shown || 'nobody'}${except})`;
}

function renderRescue(workflowId: string): string {
  return [
    '### What shall become of this step?',
    '- `retry`: try again\n- `skip`: leave it as it is\n- `done`: you did it by hand; it is checked\n- `give-up`: end here; a rollback repairs the target',
    'More Actions → Send a Signal → `rescue`:\n' +
      json({ verb: 'retry', by: '<you>', reason: '<why>' }) +
      '\n' +
      or(`rescue ${shellWord(workflowId)} retry --reason "<why>" --as <you>`),
  ].join('\n\n');
}

/** `2026-01-31 14:05 UTC` of an ISO 8601 time in UTC. */
const readableTime = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

const or = (command: string): string => `or in a terminal:\n${code(foldCommand(`windlass ${command}`))}`;
const code = (text: string, language = ''): string => `\`\`\`${language}\n${text}\n\`\`\``;
const json = (value: object): string => code(JSON.stringify(value, undefined, 2), 'json');

/**
 * A command of one line as lines that a shell takes as the same command: broken between words (a flag stays with its
 * value), and a quoted JSON patch between members, where JSON allows a line end.
 */
export function foldCommand(command: string): string {
  const words = command.match(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+/g) ?? [];
  const lines: string[] = [];
  for (const [index, word] of words.entries()) {
    const line = lines.at(-1);
    const isValue = words[index - 1]?.startsWith('-') && !word.startsWith('-');
    const next = words[index + 1];
    const unit = word.startsWith('-') && next && !next.startsWith('-') ? `${word} ${next}` : word;
    if (line === undefined) lines.push(word);
    else if (isValue || line.length + unit.length < CODE_WIDTH - 2) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines
    .map((line) => (line.length > CODE_WIDTH ? line.replaceAll(/,(?="[^"]+":)/g, ',\n    ') : line))
    .join(' \\\n');
}

/** One word of a shell's command line: workflow ids may be anything that a person types. */
const shellWord = (text: string): string => (/^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** UTF-8 length without Node's Buffer, which workflow code does not have. */
function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
