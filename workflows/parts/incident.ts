import { condition, patched, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type {
  HandleIncidentInput,
  IncidentAlert,
  IncidentRecord,
  IncidentSlice,
} from '../../src/contracts/handle-incident.ts';
import type { AlertRule } from '../../src/contracts/incident-catalog.ts';
import type { OrderResult } from '../../src/contracts/messages.ts';
import { emptyLedger, enter, KEPT_ALERTS, type Ledger, without } from '../../src/domain/incident/ledger.ts';
import { nameOf, noted, ruleFor, titleOf } from '../../src/domain/incident/record.ts';
import { computeSeverity, type Computed } from '../../src/domain/incident/severity.ts';
import { joinedBy, ruleInTurn } from '../../src/domain/incident/turns.ts';
import { quick } from './activities.ts';
import { takeIncidentOrders } from './incident-orders.ts';
import type { Procedure } from './procedure.ts';

/** Facts are measured again when alerts are news, but not more often: a storm must not become a storm of queries. */
const LOOK_AGAIN_MS = 30_000;

/** What an earlier history of the same workflow leaves to the next one. */
export interface Carried {
  /** Of an incident that goes on. */
  open?: { record: IncidentRecord; ledger: Ledger; severitySince: number };
  /** Alerts that came while the one before was being closed. */
  alerts?: IncidentAlert[];
  /** Keys of alerts that are over. */
  handled: string[];
}

/** An incident while it is handled: its alerts, its severity, and who was told. */
export interface Incident {
  readonly record: IncidentRecord;
  readonly ledger: Ledger;
  /** Whether a person said that it is over. */
  readonly resolved: boolean;
  /** The rule whose turn it is: an alert of its kind joined, or is back. */
  readonly unanswered: AlertRule | undefined;
  /** Alerts that began to fire after `close`: the next incident. */
  readonly late: IncidentAlert[];
  readonly open: NonNullable<Carried['open']>;
  /** Set while something runs that must not be cut off by `resolve`. */
  busy: string | undefined;
  note(text: string): void;
  change(change: Partial<IncidentRecord>): void;
  /** Measures, and computes the severity: only ever a worse one than before, unless a person said which. */
  look(slice: IncidentSlice): Promise<Computed>;
  /** Leaves out alerts that an earlier incident handled. */
  forget(handled: string[]): void;
  /** From now on alerts belong to the next incident. */
  close(): void;
  /** Begins with what is known now. */
  begin(slice: IncidentSlice, computed: Computed): void;
  /** Computes the severity again whenever alerts are news, until it is over. */
  keepLooking(slice: IncidentSlice, over: () => boolean): Promise<void>;
}

/** Registers the messages of an incident; called before the first `await`. */
export function useIncident(procedure: Procedure, input: HandleIncidentInput, before: Carried | undefined): Incident {
  let slice: IncidentSlice | undefined;
  let ledger = before?.open?.ledger ?? enter(emptyLedger(), before?.alerts ?? [], Date.now()).ledger;
  let record: IncidentRecord = before?.open?.record ?? blank(input, ledger);
  let severitySince = before?.open?.severitySince ?? 0;
  let closed = false;
  let joinable = false;
  const late: IncidentAlert[] = [];
  let unseen = 0;
  let resolved = false;

  const note = (text: string): void => {
    record = noted(record, Date.now(), text);
    procedure.record(text);
  };
  const unknownPerson = (by: string): OrderResult | undefined => {
    if (!slice) return { accepted: false, message: 'The catalog is not read yet; ask again in a moment.' };
    if (slice.people.some(({ name }) => name === by)) return undefined;
    return { accepted: false, message: `${by} is not among the people of ${slice.system}.` };
  };

  takeIncidentOrders(procedure, {
    alerts(alerts) {
      const entered = enter(ledger, alerts, Date.now());
      const { news } = entered;
      // What is over the limit comes again: Alertmanager repeats an alert that fires.
      if (closed) return void late.push(...news.filter(isFiring).slice(0, KEPT_ALERTS - late.length));
      ledger = entered.ledger;
      if (news.length === 0) return;
      unseen += news.length;
      record = { ...record, alerts: { total: ledger.total, kept: ledger.kept } };
      const [first] = news;
      note(
        news.length === 1
          ? `${first!.status}: ${nameOf(first!)}`
          : `${news.length} alerts, the first ${first!.status}: ${nameOf(first!)}`,
      );
      join(news.filter(isFiring));
      procedure.show('alerts', `${ledger.total} alerts, ${ledger.firing} firing`);
    },
    acknowledge({ by, reason }) {
      const fault = unknownPerson(by);
      if (fault) return fault;
      if (record.acknowledgedBy) return { accepted: false, message: `${record.acknowledgedBy} has it already.` };
      record = {
        ...record,
        acknowledgedBy: by,
        milestones: { ...record.milestones, acknowledgedAt: new Date(Date.now()).toISOString() },
      };
      note(`acknowledged by ${by}${reason ? `: ${reason}` : ''}`);
      procedure.show('acknowledged', `${by} takes care`);
      return { accepted: true, message: `${by} takes care; nobody else is called.` };
    },
    setSeverity({ by, reason, severity }) {
      const fault = unknownPerson(by);
      if (fault) return fault;
      const names = slice!.policy.severities.map(({ name }) => name);
      if (!names.includes(severity))
        return { accepted: false, message: `No severity ${severity}; there is: ${names.join(', ')}.` };
      record = { ...record, override: { severity, by, reason, at: new Date(Date.now()).toISOString() } };
      become(severity, `set by ${by}: ${reason}; the rules say ${record.computed.severity}`);
      return { accepted: true, message: `It is ${severity} now.` };
    },
    resolve({ by, reason }) {
      const fault = unknownPerson(by);
      if (fault) return fault;
      if (incident.busy)
        return {
          accepted: false,
          message: `${incident.busy} still runs. Stop it first: windlass abort ${incident.busy}`,
        };
      resolved = true;
      record = { ...record, resolvedBy: by };
      note(`resolved by ${by}: ${reason}`);
      return { accepted: true, message: 'It is over, and is being closed.' };
    },
  });

  function become(severity: string, why: string): void {
    if (record.severity === severity) return;
    record = { ...record, severity };
    severitySince = Date.now();
    upsertSearchAttributes({ OpsSeverity: [severity] });
    note(`severity ${severity}: ${why}`);
    procedure.show('severity', `${severity}: ${why}`);
  }

  /** Alerts of another kind bring their own runbooks. Before it has begun they are kept in the ledger. */
  function join(alerts: IncidentAlert[]): void {
    if (slice && joinable) record = { ...record, joined: joinedBy(record, slice.policy, alerts) };
  }

  const incident: Incident = {
    busy: undefined,
    get record() {
      return record;
    },
    get ledger() {
      return ledger;
    },
    get resolved() {
      return resolved;
    },
    get unanswered() {
      return ruleInTurn(record, ledger);
    },
    get late() {
      return late;
    },
    get open() {
      return { record, ledger, severitySince };
    },
    forget(handled) {
      ledger = without(ledger, handled);
      record = { ...record, alerts: { total: ledger.total, kept: ledger.kept } };
    },
    close() {
      closed = true;
    },
    note,
    change(change) {
      record = { ...record, ...change };
    },
    async look(of) {
      unseen = 0;
      const { facts, missing } = await quick('Measure what severity depends on').measureFacts({ slice: of });
      missing.forEach((fault) => note(`not measured: ${fault}`));
      return computeSeverity(of.policy.severities, { facts, labels: ledger.kept.map(({ labels }) => labels) });
    },
    begin(of, computed) {
      slice = of;
      // Incidents that were open when this was new answer only their first alert.
      joinable = patched('incident-joined-alerts');
      if (before?.open) return join(ledger.kept);
      const [first] = ledger.kept;
      const starts = ledger.kept.map(({ startsAt }) => Date.parse(startsAt));
      const rule = ruleFor(of.policy, first?.labels['alertname'] ?? input.alert, of.service);
      record = {
        ...record,
        title: titleOf(first, input.title),
        computed,
        ...(rule ? { rule } : {}),
        milestones: {
          ...record.milestones,
          startedAt: new Date(Math.min(Date.now(), ...starts)).toISOString(),
        },
      };
      become(computed.severity, computed.why);
      join(ledger.kept);
    },
    async keepLooking(of, over) {
      for (;;) {
        await condition(() => over() || unseen > 0);
        if (over()) return;
        const computed = await incident.look(of);
        const rank = (name: string): number => of.policy.severities.findIndex((each) => each.name === name);
        if (rank(computed.severity) < rank(record.computed.severity)) {
          record = { ...record, computed };
          if (!record.override) become(computed.severity, computed.why);
        }
        await condition(over, LOOK_AGAIN_MS, { summary: 'before facts are measured again' });
      }
    },
  };
  return incident;
}

const isFiring = ({ status }: IncidentAlert): boolean => status === 'firing';

const blank = (input: HandleIncidentInput, { total, kept }: Ledger): IncidentRecord => ({
  id: workflowInfo().workflowId,
  title: input.title ?? '',
  system: input.system,
  environment: input.environment,
  ...(input.service === undefined ? {} : { service: input.service }),
  severity: '',
  computed: { severity: '', why: '' },
  levels: 0,
  milestones: { startedAt: now(), openedAt: now() },
  alerts: { total, kept },
  runbooks: [],
  timeline: [{ at: now(), text: `opened by ${input.requestedBy}` }],
});

const now = (): string => new Date(Date.now()).toISOString();
