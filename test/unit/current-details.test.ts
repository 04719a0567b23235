import { execFileSync } from 'node:child_process';
import type { GateSpec } from '../../src/contracts/gates.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import { renderDetails } from '../../src/domain/current-details.ts';
import { foldCommand } from '../../src/domain/details-text.ts';
import { openGate } from '../../src/domain/gate.ts';
import { renderGates } from '../../src/domain/gate-details.ts';
import type { Person } from '../../src/domain/gate-rights.ts';
import { escapeCommand } from '../../src/domain/release/selectors.ts';
import { target } from '../support/live.ts';

const ESCAPE = escapeCommand(target, { app: 'shop', 'pod-template-hash': '8595f9fbf6', version: 'blue' });
const PEOPLE: Person[] = ['ana', 'bea', 'kim'].map((name) => ({ name, roles: ['lead'] }));
const SPEC: GateSpec = {
  name: 'lead',
  kind: 'approval',
  asks: 'Go?',
  roles: ['lead'],
  quorum: 1,
  fourEyes: true,
  expiresAfterMs: 3_600_000,
};

const view = (over: Partial<ProgressView> = {}): ProgressView => ({
  procedure: 'deployRelease',
  phase: 'waiting',
  step: 'Waiting for approval of shop v2',
  awaiting: ['lead'],
  lines: [],
  startedAt: '2026-01-01T00:00:00.000Z',
  timeline: [],
  ...over,
});
const AT = Date.parse('2026-01-01T10:00:00Z');
const gate = (spec: Partial<GateSpec> = {}, workflowId = 'deploy/a', people = PEOPLE): string =>
  renderGates([openGate({ ...SPEC, ...spec }, 'code-1', AT)], workflowId, { people, requestedBy: 'kim', at: AT });

/** The arguments that a shell gives to the command. */
const inShell = (command: string): string[] =>
  execFileSync('sh', ['-c', command.replace(/^\w+/, "printf '%s\\0'")], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

describe('a folded command', () => {
  test('is the same command for a shell, with the same patch', () => {
    const [folded, whole] = [inShell(foldCommand(ESCAPE)), inShell(ESCAPE)];
    expect(folded.slice(0, -1)).toEqual(whole.slice(0, -1));
    expect(JSON.parse(folded.at(-1)!)).toEqual(JSON.parse(whole.at(-1)!));
  });

  test('has lines that fit into the half page of the Temporal UI', () => {
    for (const line of foldCommand(ESCAPE).split('\n')) expect(line.length).toBeLessThanOrEqual(62);
  });

  test('keeps quoted words whole, whatever a workflow id contains', () => {
    const id = "kim's very long release of a friday afternoon before the holidays";
    const text = gate({}, id);
    const command = /```\n(windlass [^]*?)\n```/.exec(text)![1]!.replace('<you>', 'ana');
    expect(inShell(command)).toEqual(['approve', id, 'lead', '--as', 'ana']);
  });
});

describe('a waiting gate', () => {
  test('names those who may decide, and not the requester where four eyes are required', () => {
    expect(gate()).toContain('**Who decides:** lead (ana, bea; not kim, who asked for it)');
    expect(gate({ fourEyes: false, quorum: 2 })).toContain('**Who decides:** 2 people of lead (ana, bea, kim)');
    expect(gate({ roles: ['security'] })).toContain('**Who decides:** security (nobody)');
  });

  test('shows a message that is complete but for the name', () => {
    const [, json] = /```json\n([^]*?)```/.exec(gate())!;
    expect(JSON.parse(json!)).toEqual({ gate: 'lead', by: '<you>', code: 'code-1' });
  });

  test('names delegates as long as they are', () => {
    const until = (hour: string) => ({ to: 'dan', roles: ['lead'], until: `2026-01-01T${hour}:00:00+01:00` });
    const asked = (hour: string) => gate({}, 'a', [{ name: 'ana', roles: ['lead'], delegates: [until(hour)] }]);
    expect(asked('12')).toContain('lead (ana, dan for ana until 2026-01-01 11:00 UTC)');
    expect(asked('11')).toContain('lead (ana)');
  });

  test('asks for the comment and the fields that an approval needs', () => {
    const form: GateSpec['form'] = {
      properties: { ticket: { type: 'string', description: 'Number "of" the change', minLength: 1, maxLength: 9 } },
      required: ['ticket'],
    };
    const text = gate({ comment: 'required', form });
    expect(JSON.parse(/```json\n([^]*?)```/.exec(text)![1]!)).toMatchObject({
      reason: '<comment>',
      fields: { ticket: '<Number "of" the change>' },
    });
    const command = /```\n(windlass [^]*?)\n```/.exec(text)![1]!.replace('<you>', 'ana');
    expect(inShell(command).slice(5)).toEqual(['--comment', '<comment>', '--field', 'ticket=<Number "of" the change>']);
  });

  test.each<[GateSpec['onExpiry'], string]>([
    [undefined, 'silence is a no'],
    ['escalate', 'then vp may decide too'],
    ['continue', 'silence lets it go on'],
  ])('says what silence means: %s', (onExpiry, text) => {
    expect(gate({ ...(onExpiry ? { onExpiry } : {}), escalation: { roles: ['vp'] } })).toContain(`UTC; ${text}`);
  });

  test('says who may pass it alone', () => {
    const breakGlass = { roles: ['on-call'], notify: ['ops'], reviewWithinMs: 1 };
    expect(gate({ breakGlass })).toContain('**Emergency:** on-call may pass it alone');
    expect(gate()).not.toContain('Emergency');
  });

  test('says until when, in UTC', () => {
    expect(gate()).toContain('**Until:** 2026-01-01 11:00 UTC');
  });
});

describe('the current details', () => {
  test('say what to type when a step is stuck', () => {
    expect(renderDetails(view({ phase: 'rescue' }), 'deploy/a', '')).toContain('"verb": "retry"');
  });

  test('say how to go on after a hold', () => {
    const text = renderDetails(view({ held: { by: 'ana', reason: 'lunch' } }), 'deploy/a', '');
    expect(text).toContain('**On hold** by ana: lunch');
    expect(text).toContain('windlass resume deploy/a --as <you>');
  });

  test('stay under the limit of the server by leaving out the oldest of the timeline', () => {
    const timeline = Array.from({ length: 200 }, (_, index) => ({
      at: '2026-01-01T00:00:00.000Z',
      text: `${index} ${'ü'.repeat(100)}`,
    }));
    const text = renderDetails(view({ timeline, escape: ESCAPE }), 'deploy/a', gate());
    expect(Buffer.byteLength(text)).toBeLessThan(20_000);
    expect(text).toContain('199 ü');
    expect(text).not.toContain(' 0 ü');
  });
});
