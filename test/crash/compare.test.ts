import { describe, expect, test } from '@jest/globals';
import { effectsOf, type AuditEntry } from '../support/crash/audit.ts';
import { isMutating, keyOf, normalize } from '../support/crash/calls.ts';
import { compareTraces, type Traces } from '../support/crash/compare.ts';
import { effectsOf as effectsIn } from '../support/crash/database-log.ts';

const undisturbed: Traces = {
  outcome: 'released',
  state: ['Service shop: green'],
  effects: ['create deployments/shop-green', 'patch services/shop selector'],
  notices: ['v2 is released'],
  failedRequests: [],
  servedBy: ['v1', 'v2'],
};
const disturbed = (over: Partial<Traces>) => compareTraces(undisturbed, { ...undisturbed, ...over });

describe('a disturbed run', () => {
  test('that left the same differs in nothing', () => {
    expect(disturbed({})).toEqual([]);
  });

  test('may repeat a notice', () => {
    expect(disturbed({ notices: ['v2 is released', 'v2 is released'] })).toEqual([]);
  });

  test.each<[string, Partial<Traces>, string]>([
    ['ended otherwise', { outcome: 'stuck' }, 'outcome'],
    ['left another state', { state: ['Service shop: blue'] }, 'state'],
    ['left more behind', { state: [...undisturbed.state, 'Service shop-preview'] }, 'state'],
    ['took an effect twice', { effects: [...undisturbed.effects, undisturbed.effects[0]!] }, 'doubled'],
    ['took an effect of its own', { effects: [...undisturbed.effects, 'delete deployments/shop'] }, 'foreign'],
    ['left an effect out', { effects: undisturbed.effects.slice(1) }, 'missing'],
    ['told nobody', { notices: [] }, 'notice'],
    ['lost a request', { failedRequests: ['1 requests failed: reset by nobody'] }, 'traffic'],
    ['gave traffic to a version that should get none', { servedBy: ['v1', 'v2', 'v3'] }, 'traffic'],
  ])('that %s is told', (_, over, kind) => {
    expect(disturbed(over).map((difference) => difference.kind)).toContain(kind);
  });
});

describe('an effect in the audit log', () => {
  const entry = (over: object) =>
    ({
      verb: 'patch',
      user: { username: 'worker' },
      requestURI: '/api/v1/namespaces/crash-1/services/shop',
      objectRef: { resource: 'services', namespace: 'crash-1', name: 'shop' },
      responseStatus: { code: 200 },
      ...over,
    }) as AuditEntry;

  test('is told apart by what it changes, not by what it tests', () => {
    const patch = [
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'replace', path: '/spec/selector', value: { app: 'shop' } },
    ];
    expect(effectsOf([entry({ requestObject: patch })], 'crash-1')).toEqual([
      'patch services/shop [{"op":"replace","path":"/spec/selector","value":{"app":"shop"}}]',
    ]);
  });

  test('does not count when the server refused it', () => {
    expect(
      effectsOf([entry({ responseStatus: { code: 422 } }), entry({ responseStatus: { code: 409 } })], 'crash-1'),
    ).toEqual([]);
  });
});

describe('changes of databases in the log of PostgreSQL', () => {
  const log = (...statements: string[]) => statements.map((text) => `6a.1 LOG:  statement: ${text}`);
  const RENAME = 'ALTER DATABASE "crash_1" RENAME TO "crash_1_damaged_0a1b2c3d"';

  test('count once they are committed, together', () => {
    expect(effectsIn(log('BEGIN', 'SELECT 1', RENAME, RENAME, 'COMMIT'), 'crash-1')).toEqual([
      'ALTER DATABASE "<database>" RENAME TO "<database>_damaged_<run>"; ALTER DATABASE "<database>" RENAME TO "<database>_damaged_<run>"',
    ]);
  });

  test.each<[string, string[]]>([
    ['never committed', log('BEGIN', RENAME)],
    ['rolled back', log('BEGIN', RENAME, 'ROLLBACK')],
    ['failed', [...log(RENAME), '6a.1 ERROR:  database "crash_1" does not exist']],
    ['made to a scratch database', log('DROP DATABASE IF EXISTS "crash_1_restore_0a1b2c3d" WITH (FORCE)')],
    ["another environment's", log('ALTER DATABASE "crash_2" ALLOW_CONNECTIONS false')],
    ["an environment's whose name begins alike", log('CREATE DATABASE crash_10 TEMPLATE crash_template')],
  ])('do not count when they are %s', (_, lines) => {
    expect(effectsIn(lines, 'crash-1')).toEqual([]);
  });
});

describe('a call', () => {
  test.each([
    ['GET', '/api/v1/namespaces/a/services/shop', false],
    ['PATCH', '/api/v1/namespaces/a/services/shop', true],
    ['PATCH', '/api/v1/namespaces/a/services/shop?fieldManager=x&dryRun=All', false],
    ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', false],
    ['POST', '/slack/ops', true],
    ['PUT', '/bucket/key?x-id=PutObject', true],
  ])('%s %s is mutating: %s', (method, path, mutating) => {
    expect(isMutating(method, path)).toBe(mutating);
  });

  test('has the same key in every run', () => {
    const key = (environment: string, id: string) =>
      keyOf(
        'runJob',
        'post',
        `/apis/batch/v1/namespaces/${environment}/jobs/shop-pre-deployment-${id}?pretty=1`,
        environment,
      );
    expect(key('crash-1', '0a1b2c3d')).toBe(key('crash-22', '99999999'));
    expect(key('crash-1', '0a1b2c3d')).toBe('runJob POST jobs/shop-pre-deployment-<run>');
  });

  test('keeps what does differ apart', () => {
    expect(normalize('replicas 2 in crash-1', 'crash-1')).not.toBe(normalize('replicas 3 in crash-1', 'crash-1'));
  });
});
