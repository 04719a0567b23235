import fc from 'fast-check';
import type { AcquireRequest, Holder, Priority } from '../../src/contracts/change-control.ts';
import { acquire } from '../../src/domain/lease/acquire.ts';
import { nextWake } from '../../src/domain/lease/admission.ts';
import { holderEnded, release, signalSettled, timePassed } from '../../src/domain/lease/events.ts';
import { LONGEST_MUTATION_MS } from '../../src/domain/lease/rules.ts';
import { emptyState, scopesOf, type LeaseState } from '../../src/domain/lease/state.ts';
import { phaseOf, renderChangeControl, viewState } from '../../src/domain/lease/view.ts';
import { must } from '../support/random-steps.ts';

const NOW = Date.parse('2026-12-24T12:00:00Z');
const EMPTY = emptyState({ system: 'sandbox', environment: 'local' });
const holder = (name: string): Holder => ({
  ...{ workflowId: name, firstRunId: `run-${name}`, procedure: 'maintenanceWindow' },
  ...{ requestedBy: 'ana', summary: name },
});
let asked = 0;
const request = (name: string, scopes: string[], over: Partial<AcquireRequest> = {}): AcquireRequest => ({
  ...{ requestId: `${name}-${++asked}`, holder: holder(name), scope: scopes[0]!, priority: 'maintenance' },
  ...(scopes.length > 1 ? { also: scopes.slice(1) } : {}),
  ...{ mode: 'hold', onBusy: 'queue', preempt: false },
  ...over,
});
const held = ({ leases }: LeaseState): string[] =>
  leases.map(({ scope, mode, dirty, holder: { workflowId } }) => `${workflowId} ${dirty ? 'dirty' : mode} ${scope}`);
const grants = ({ outbox }: LeaseState) => outbox.filter(({ signal }) => signal === 'leaseGranted');
const giveBack = (state: LeaseState, name: string, scope: string): LeaseState =>
  release(state, { scope, holder: holder(name), state: 'clean' }, NOW);

describe('several scopes in one request', () => {
  test('are granted together under one token', () => {
    const { state, reply } = acquire(EMPTY, request('one', ['web', 'shop']), NOW);
    expect(reply.status).toBe('granted');
    expect(held(state)).toEqual(['one hold web', 'one hold shop']);
    expect(new Set(state.leases.map(({ token }) => token)).size).toBe(1);
  });

  test('wait until all of them are free, holding none, and claim them against whoever comes later', () => {
    let { state } = acquire(EMPTY, request('one', ['shop']), NOW);
    state = acquire(state, request('both', ['shop', 'web']), NOW).state;
    const later = acquire(state, request('later', ['web']), NOW);
    expect(later.reply).toMatchObject({ status: 'queued', position: 2, behind: { workflowId: 'both' } });
    expect(acquire(state, request('hasty', ['web'], { onBusy: 'refuse' }), NOW).reply).toMatchObject({
      status: 'refused',
      code: 'busy',
      message: expect.stringContaining('web in local is reserved by both'),
    });
    expect(held(later.state)).toEqual(['one hold shop']);
    const served = giveBack(later.state, 'one', 'shop');
    expect(held(served)).toEqual(['both hold shop', 'both hold web']);
    expect(grants(served)).toHaveLength(1);
    expect(grants(served)[0]!.payload).toMatchObject({ scope: 'shop', also: ['web'] });
    expect(held(giveBack(served, 'both', 'web'))).toEqual(['both hold shop', 'later hold web']);
  });

  test('are not waited for by who goes first, nor by who has a part of them already', () => {
    let { state } = acquire(EMPTY, request('one', ['shop']), NOW);
    state = acquire(state, request('both', ['shop', 'web']), NOW).state;
    expect(acquire(state, request('urgent', ['web'], { priority: 'rollback' }), NOW).reply.status).toBe('granted');
    expect(acquire(state, request('one', ['web']), NOW).reply.status).toBe('granted');
  });

  test('of a holder that dies are dirty one by one, and of one that never knew are free', () => {
    const { state } = acquire(EMPTY, request('one', ['shop', 'web']), NOW);
    const half = giveBack(state, 'one', 'shop');
    expect(held(holderEnded(half, holder('one'), 'terminated', NOW))).toEqual(['one dirty web']);
    let queued = acquire(
      acquire(EMPTY, request('first', ['web']), NOW).state,
      request('two', ['shop', 'web']),
      NOW,
    ).state;
    queued = giveBack(queued, 'first', 'web');
    const lost = signalSettled(queued, queued.outbox[0]!.id, false, NOW);
    expect(held(lost)).toEqual([]);
  });

  test('that a deployment hands over midway go to a rollback that wants more only when it gets all of it', () => {
    let { state } = acquire(EMPTY, request('deploy', ['shop'], { priority: 'deployment' }), NOW);
    state = acquire(state, request('dead', ['web']), NOW).state;
    state = holderEnded(state, holder('dead'), 'terminated', NOW);
    state = acquire(state, request('back', ['shop', 'web'], { priority: 'rollback', preempt: true }), NOW).state;
    expect(state.outbox).toMatchObject([{ signal: 'standDown', holder: { workflowId: 'deploy' } }]);
    state = release(state, { scope: 'shop', holder: holder('deploy'), state: 'handed-over' }, NOW);
    expect(held(state).sort()).toEqual(['dead dirty web', 'deploy dirty shop']);
    const later = timePassed(state, NOW + LONGEST_MUTATION_MS);
    expect(held(later)).toEqual(['back hold shop', 'back hold web']);
  });

  test('3,000 random crowds: who reserves, holds and gives back all its scopes at once is served, whatever the others want', () => {
    const actor = fc.record({
      scopes: fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }),
      priority: fc.constantFrom<Priority>('review', 'maintenance', 'deployment', 'rollback', 'incident'),
      reserves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(actor, { minLength: 2, maxLength: 7 }), fc.infiniteStream(fc.nat(1000)), (actors, luck) => {
        let state = EMPTY;
        // What each does next: ask for a reservation, for the lease, give back; waiting ones do nothing.
        const next = actors.map(({ reserves }) => (reserves ? ['reserve', 'hold', 'done'] : ['hold', 'done']));
        const awaits = new Map<number, string>();
        for (let turn = 0; turn < 400 && next.some((steps) => steps.length > 0); turn++) {
          const ready = next.flatMap((steps, index) => (steps.length > 0 && !awaits.has(index) ? [index] : []));
          must(ready.length > 0, `everybody waits: ${JSON.stringify(viewState(state).queue)}`);
          const index = ready[(luck.next().value as number) % ready.length]!;
          const step = next[index]!.shift()!;
          const { scopes, priority } = actors[index]!;
          const name = `actor-${index}`;
          if (step === 'done') for (const scope of scopes) state = giveBack(state, name, scope);
          else {
            const ask = request(name, scopes, { priority, mode: step as 'hold' | 'reserve' });
            const answered = acquire(state, ask, NOW);
            state = answered.state;
            if (answered.reply.status === 'queued') awaits.set(index, ask.requestId);
          }
          for (const out of grants(state)) {
            const { requestId } = out.payload as { requestId: string };
            for (const [who, id] of awaits) if (id === requestId) awaits.delete(who);
            state = signalSettled(state, out.id, true, NOW);
          }
          for (const scope of ['a', 'b', 'c', 'd'])
            must(state.leases.filter((lease) => lease.scope === scope && lease.mode === 'hold').length <= 1, scope);
        }
        must(next.every((steps) => steps.length === 0), 'it does not come to an end'); // prettier-ignore
        must(state.leases.length === 0 && state.queue.length === 0, 'something is left');
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a lease with an end', () => {
  const until = NOW + 3_600_000;
  const { state } = acquire(EMPTY, request('window', ['shop', 'web'], { until }), NOW);

  test('is shown with it, and wakes change control then', () => {
    expect(nextWake(state, NOW)).toBe(until);
    expect(viewState(state).leases[0]).toMatchObject({ until: '2026-12-24T13:00:00.000Z' });
    expect(timePassed(state, until - 1)).toBe(state);
  });

  test('past it is overdue: the holder is told once for each scope, and keeps it', () => {
    const late = timePassed(state, until);
    expect(phaseOf(late)).toBe('overdue');
    expect(held(late)).toEqual(['window hold shop', 'window hold web']);
    expect(late.outbox).toMatchObject(
      ['shop', 'web'].map((scope) => ({ signal: 'leaseOverdue', payload: { scope, until } })),
    );
    expect(renderChangeControl(late)).toContain('**overdue since 2026-12-24T13:00:00.000Z**');
    expect(timePassed(late, until + 1)).toBe(late);
    expect(nextWake(late, until + 1)).toBeUndefined();
    expect(acquire(late, request('next', ['shop'], { onBusy: 'refuse' }), until).reply.status).toBe('refused');
    expect(scopesOf({ scope: 'shop' })).toEqual(['shop']);
  });

  test('that is given back in time, or dirty, is never overdue', () => {
    const dirty = holderEnded(state, holder('window'), 'terminated', NOW);
    expect(nextWake(dirty, NOW)).toBeUndefined();
    expect(phaseOf(timePassed(dirty, until))).toBe('dirty');
    const back = giveBack(giveBack(state, 'window', 'shop'), 'window', 'web');
    expect(timePassed(back, until)).toBe(back);
  });
});
