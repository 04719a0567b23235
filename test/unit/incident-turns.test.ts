import type { IncidentAlert } from '../../src/contracts/handle-incident.ts';
import { emptyLedger, enter } from '../../src/domain/incident/ledger.ts';
import { afterTurn, joinedBy, ruleInTurn } from '../../src/domain/incident/turns.ts';
import { alertOf } from '../support/incident.ts';

const of = (name: string, over: Partial<IncidentAlert> = {}): IncidentAlert =>
  alertOf({ fingerprint: name, labels: { alertname: name }, ...over });
const ledgerOf = (...alerts: IncidentAlert[]) => enter(emptyLedger(), alerts, 0).ledger;
const [down, slow, full] = ['Down', 'Slow', 'Full'].map((alert) => ({ alert, runbook: `mend-${alert}` }));
const policy = { alerts: [down!, slow!, full!] };

test('a rule joins once, with the first alert of its kind, and not when it is that of the incident', () => {
  const alerts = ['Slow', 'Down', 'Slow', 'Unknown', 'Full'].map((name) => of(name));
  expect(joinedBy({ rule: down! }, policy, alerts)).toEqual([slow, full]);
  expect(joinedBy({ rule: down!, joined: [full!] }, policy, alerts)).toEqual([full, slow]);
  expect(joinedBy({ service: 'shop' }, { alerts: [{ ...down!, service: 'other' }] }, alerts)).toEqual([]);
});

test('rules that joined have one turn each, in their order', () => {
  const joined = [slow!, full!];
  expect(ruleInTurn({ rule: down!, joined }, ledgerOf())).toBe(slow);
  const first = afterTurn({ joined }, slow!, false);
  expect(ruleInTurn({ joined, ...first }, ledgerOf())).toBe(full);
  const second = afterTurn({ joined, ...first }, full!, false);
  expect(ruleInTurn({ joined, ...second }, ledgerOf(of('Slow'), of('Full')))).toBeUndefined();
});

test('a rule that was spared its remedy has another turn when its alert is back, after those that had none', () => {
  const rule = down!;
  const gone = [of('Down'), of('Down', { status: 'resolved' })];
  const spared = afterTurn({ rule }, rule, true);
  expect(spared).toEqual({ answered: 0, spared: ['Down'] });
  expect(ruleInTurn({ rule, ...spared }, ledgerOf(...gone))).toBeUndefined();

  const back = ledgerOf(...gone, of('Down', { startsAt: '2026-11-26T10:01:00Z' }));
  expect(ruleInTurn({ rule, ...spared }, back)).toBe(rule);
  expect(ruleInTurn({ rule, joined: [slow!], ...spared }, back)).toBe(slow);
  // It goes again before the remedy begins, and comes once more: still one entry, and none after its remedy.
  expect(afterTurn({ rule, ...spared }, rule, true)).toEqual(spared);
  const remedied = afterTurn({ rule, ...spared }, rule, false);
  expect(ruleInTurn({ rule, ...remedied }, back)).toBeUndefined();
});
