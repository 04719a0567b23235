import type { IncidentAlert, IncidentRecord } from '../../contracts/handle-incident.ts';
import type { AlertRule, CatalogIncidents } from '../../contracts/incident-catalog.ts';
import { firesStill, type Ledger } from './ledger.ts';
import { nameOf, ruleFor } from './record.ts';

type Turns = Pick<IncidentRecord, 'rule' | 'joined' | 'answered' | 'spared'>;

/** The rules of an incident: that of its first alert, and of those that joined it, each once. */
export const rulesOf = ({ rule, joined = [] }: Turns): AlertRule[] => [...(rule ? [rule] : []), ...joined];

/** @returns the rules that joined, with those of alerts that are of another kind than all before */
export function joinedBy(
  record: Turns & Pick<IncidentRecord, 'service'>,
  policy: Pick<CatalogIncidents, 'alerts'>,
  alerts: IncidentAlert[],
): AlertRule[] {
  const joined = [...(record.joined ?? [])];
  for (const alert of alerts) {
    const rule = ruleFor(policy, nameOf(alert), record.service);
    if (rule && !rulesOf({ ...record, joined }).some((each) => each.alert === rule.alert)) joined.push(rule);
  }
  return joined;
}

/**
 * The rule whose turn it is: of those that joined the first that had none; then one that was spared its remedy, because
 * its alert had gone by itself, and whose alert is back.
 */
export function ruleInTurn(record: Turns, ledger: Ledger): AlertRule | undefined {
  const { joined = [], answered = 0, spared = [] } = record;
  return joined[answered] ?? rulesOf(record).find(({ alert }) => spared.includes(alert) && firesStill(ledger, alert));
}

/** What is known after the turn of a rule. @param isSpared whether it has another one when its alert is back */
export function afterTurn(
  { joined = [], answered = 0, spared = [] }: Turns,
  { alert }: AlertRule,
  isSpared: boolean,
): Required<Pick<Turns, 'answered' | 'spared'>> {
  const others = spared.filter((each) => each !== alert);
  return {
    answered: joined[answered]?.alert === alert ? answered + 1 : answered,
    spared: isSpared ? [...others, alert] : others,
  };
}
