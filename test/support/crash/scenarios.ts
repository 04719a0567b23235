import { backUpDatabase } from '../../../src/contracts/back-up-database.ts';
import type { Contract } from '../../../src/contracts/contract.ts';
import { deployRelease } from '../../../src/contracts/deploy-release.ts';
import { handleIncident } from '../../../src/contracts/handle-incident.ts';
import { maintenanceWindow } from '../../../src/contracts/maintenance-window.ts';
import { restoreDatabase } from '../../../src/contracts/restore-database.ts';
import { retireColor } from '../../../src/contracts/retire-color.ts';
import { reviewBreakGlass } from '../../../src/contracts/review-break-glass.ts';
import { rollBackRelease } from '../../../src/contracts/roll-back-release.ts';
import { runRunbook } from '../../../src/contracts/run-runbook.ts';
import { verifyBackup } from '../../../src/contracts/verify-backup.ts';
import { watchErrorBudget } from '../../../src/contracts/watch-error-budget.ts';
import { ALERT, DATABASE, SERVICE, SYSTEM, UNWELL_SYSTEM, WINDOW } from './catalog.ts';
import type { Live } from './cluster.ts';
import type { DatabaseSetting } from './databases.ts';
import { adopted, withDependant, withPage, without, type Setting } from './setting.ts';

/** A procedure in one of its courses. It is recorded once undisturbed, then disturbed at every mutating call it made. */
export interface Scenario {
  name: string;
  procedure: Contract;
  /** Where it begins: a setting, or where another scenario ended, perhaps with something taken away. */
  begins: Setting | { after: string; but?: (setting: Setting) => Setting };
  /** How the environment's database begins; none is made otherwise. */
  database?: DatabaseSetting;
  /** `objects`: what is in the namespace when it begins. */
  input: (environment: string, objects: Live[]) => { system: string } & Record<string, unknown>;
  /** What people decide, by gate; a procedure without gates needs none. */
  decisions?: Record<string, 'approve' | 'reject'>;
  /** False: it takes no lease, so there is no change control. */
  leases?: false;
  /** How it ends undisturbed: the result's `outcome`, or the type of its failure. */
  ends: string;
  /** Versions that answer the load, undisturbed. */
  servedBy: string[];
}

const of = (environment: string, system = SYSTEM) => ({ system, environment, service: SERVICE, requestedBy: 'ana' });
const databaseOf = (environment: string) => ({
  ...{ system: SYSTEM, environment, database: DATABASE, requestedBy: 'ana' },
});
const image = (version: string) => `docker.io/windlass/sample:${version}`;

/** An autoscaler sets back what a runbook scales by hand. */
const ofFixedSize: Setting = (namespace) => adopted(namespace).filter(({ kind }) => kind !== 'HorizontalPodAutoscaler');

/** The whole matrix: a later procedure adds a line. */
export const SCENARIOS: Scenario[] = [
  {
    name: 'a release',
    procedure: deployRelease,
    begins: adopted,
    input: (environment) => ({ ...of(environment), image: image('v2') }),
    ends: 'released',
    servedBy: ['v1', 'v2'],
  },
  {
    name: 'a release that fails its smoke test',
    procedure: deployRelease,
    begins: adopted,
    input: (environment) => ({ ...of(environment), image: image('v3') }),
    ends: 'SmokeFailed',
    servedBy: ['v1'],
  },
  {
    name: 'a release that misses its metrics under traffic',
    procedure: deployRelease,
    begins: adopted,
    input: (environment) => ({ ...of(environment, UNWELL_SYSTEM), image: image('v2') }),
    ends: 'MetricsFailed',
    servedBy: ['v1', 'v2'],
  },
  {
    name: 'an emergency rollback',
    procedure: rollBackRelease,
    begins: { after: 'a release' },
    input: (environment) => ({ ...of(environment), mode: 'emergency', reason: 'crash matrix' }),
    ends: 'rolled-back',
    servedBy: ['v1', 'v2'],
  },
  {
    name: 'a rollback by redeployment',
    procedure: rollBackRelease,
    begins: { after: 'a release', but: (setting) => without(setting, SERVICE) },
    input: (environment) => ({ ...of(environment), mode: 'emergency', reason: 'crash matrix' }),
    ends: 'rolled-back',
    servedBy: ['v1', 'v2'],
  },
  {
    name: 'a retirement',
    procedure: retireColor,
    begins: { after: 'a release' },
    input: (environment, objects) => ({
      ...of(environment),
      deployment: SERVICE,
      uid: objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata?.name === SERVICE)?.metadata?.uid,
      retireAt: '2020-01-01T00:00:00.000Z',
    }),
    ends: 'retired',
    servedBy: ['v2'],
  },
  {
    name: 'a runbook with every kind of step',
    procedure: runRunbook,
    begins: ofFixedSize,
    input: (environment) => ({ ...of(environment), runbook: 'rehearsal' }),
    decisions: { 'rehearsal-agreed': 'approve', 'rehearsal-went-well': 'approve' },
    ends: 'completed',
    servedBy: ['v1'],
  },
  {
    name: 'a runbook that is taken back',
    procedure: runRunbook,
    begins: ofFixedSize,
    input: (environment) => ({ ...of(environment), runbook: 'rehearsal' }),
    decisions: { 'rehearsal-agreed': 'approve', 'rehearsal-went-well': 'reject' },
    ends: 'GateNotApproved',
    servedBy: ['v1'],
  },
  {
    name: 'a backup',
    procedure: backUpDatabase,
    begins: ofFixedSize,
    database: 'filled',
    input: databaseOf,
    ends: 'backed-up',
    servedBy: ['v1'],
  },
  {
    name: 'a test restore',
    procedure: verifyBackup,
    begins: ofFixedSize,
    database: 'damaged',
    input: databaseOf,
    ends: 'verified',
    servedBy: ['v1'],
  },
  {
    name: 'a restore',
    procedure: restoreDatabase,
    begins: withDependant,
    database: 'damaged',
    input: (environment) => ({ ...databaseOf(environment), reason: 'crash matrix' }),
    decisions: { restore: 'approve' },
    ends: 'restored',
    servedBy: ['v1'],
  },
  {
    name: 'a maintenance window',
    procedure: maintenanceWindow,
    begins: withPage,
    input: (environment) => ({ system: SYSTEM, environment, window: WINDOW, when: 'now', requestedBy: 'ana' }),
    ends: 'completed',
    servedBy: ['v1', 'v10'],
  },
  {
    name: 'an incident',
    procedure: handleIncident,
    begins: ofFixedSize,
    input: (environment) => ({ ...of(environment), alert: ALERT, title: 'Checkout is slow' }),
    ends: 'resolved',
    servedBy: ['v1'],
  },
  {
    name: 'a review of a break-glass',
    procedure: reviewBreakGlass,
    begins: ofFixedSize,
    input: (environment) => ({
      ...{ system: SYSTEM, environment, of: `deploy/${SYSTEM}/${environment}/shop-v2` },
      ...{ gate: 'lead', code: '3f2a1b0c-9d8e7f6a', asks: 'Shall shop be released?' },
      ...{ by: 'ana', reason: 'crash matrix', brokenAt: '2026-01-01T03:00:00Z', dueAt: '2031-01-01T03:00:00Z' },
      ...{ roles: ['engineering-lead'], notify: ['slack'] },
    }),
    decisions: { 'break-glass-review': 'approve' },
    leases: false,
    ends: 'reviewed',
    servedBy: ['v1'],
  },
  {
    name: 'an error budget that is used up',
    procedure: watchErrorBudget,
    begins: ofFixedSize,
    input: (environment) => ({ system: SYSTEM, environment, requestedBy: 'ana' }),
    ends: 'measured',
    servedBy: ['v1'],
  },
];
