import type { ProgressView } from '../contracts/progress.ts';
import { code, foldCommand, json, or, readableTime, shellWord } from './details-text.ts';

/** The server's limit for current details is 20,000 bytes; what is cut is the oldest of the timeline. */
const LIMIT = 18_000;

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

/** UTF-8 length without Node's Buffer, which workflow code does not have. */
function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
