import type { AcquireReply, AcquireRequest, Holder, Priority } from '../../src/contracts/change-control.ts';
import { acquire } from '../../src/domain/lease/acquire.ts';
import { nextWake } from '../../src/domain/lease/admission.ts';
import { holderEnded, release, repair, signalSettled, timePassed } from '../../src/domain/lease/events.ts';
import {
  LONGEST_MUTATION_MS,
  LONGEST_QUEUE,
  STAND_DOWN_GRACE_MS,
  WATCHED_IN_QUEUE,
} from '../../src/domain/lease/rules.ts';
import { emptyState, watchedHolders, type HolderEnd, type LeaseState } from '../../src/domain/lease/state.ts';
import { phaseOf, renderChangeControl, viewState } from '../../src/domain/lease/view.ts';

const START = Date.UTC(2026, 0, 1);

const holderOf = (name: string): Holder => ({
  workflowId: name,
  firstRunId: `run-${name}`,
  procedure: 'deployRelease',
  requestedBy: 'ana',
  summary: `${name} of shop`,
});

/** Change control as the shell drives it: a state, a clock, and requests by name. */
function changeControl() {
  let state: LeaseState = emptyState({ system: 'sandbox', environment: 'local' });
  let now = START;
  let requests = 0;
  const driver = {
    get state() {
      return state;
    },
    ask(who: string, priority: Priority, over: Partial<AcquireRequest> = {}): AcquireReply {
      const request: AcquireRequest = {
        requestId: `${who}/${++requests}`,
        holder: holderOf(who),
        scope: 'shop',
        priority,
        mode: 'hold',
        onBusy: 'refuse',
        preempt: false,
        ...over,
      };
      const answered = acquire(state, request, now);
      state = answered.state;
      return answered.reply;
    },
    release(who: string, left: 'clean' | 'handed-over' | 'dirty' = 'clean', scope = 'shop') {
      state = release(state, { scope, holder: holderOf(who), state: left }, now);
    },
    ends(who: string, end: HolderEnd = 'terminated') {
      state = holderEnded(state, holderOf(who), end, now);
    },
    /** Delivers, or fails to deliver, every signal that is on its way. */
    deliver(delivered = true) {
      for (const { id } of state.outbox) state = signalSettled(state, id, delivered, now);
    },
    repair(scope = 'shop') {
      const repaired = repair(state, { scope, by: 'ana', reason: 'checked' }, now);
      state = repaired.state;
      return repaired.result;
    },
    /** The shell's timer: sleeps, then acts if it was due. */
    wait(ms: number) {
      now += ms;
      state = timePassed(state, now);
    },
    signals: () => state.outbox.map(({ holder, signal }) => `${signal} to ${holder.workflowId}`),
    granted: (who: string) => {
      const out = state.outbox.find((each) => each.signal === 'leaseGranted' && each.holder.workflowId === who);
      return out?.signal === 'leaseGranted' ? out.payload : undefined;
    },
    holding: () =>
      viewState(state).leases.map(({ holder, mode, dirty }) => `${holder.workflowId} ${dirty ? 'dirty' : mode}`),
    queued: () => viewState(state).queue.map(({ holder }) => holder.workflowId),
    wakesIn: () => {
      const at = nextWake(state, now);
      return at === undefined ? undefined : at - now;
    },
  };
  return driver;
}

const tokenOf = (reply: AcquireReply): number => (reply.status === 'granted' ? reply.token : NaN);

describe('a lease', () => {
  test('is granted at once with a fencing token when nobody has it, and no signal follows', () => {
    const control = changeControl();
    expect(control.ask('deploy', 'deployment')).toMatchObject({ status: 'granted', token: START / 1000 });
    expect(control.signals()).toEqual([]);
    expect(control.holding()).toEqual(['deploy hold']);
  });

  test('is refused to a second deployment by the name of the holder', () => {
    const control = changeControl();
    control.ask('one', 'deployment');
    const reply = control.ask('two', 'deployment');
    expect(reply).toMatchObject({ status: 'refused', code: 'busy', holder: { workflowId: 'one' } });
    expect(reply).toHaveProperty('message', expect.stringContaining('held by one'));
    expect(control.holding()).toEqual(['one hold']);
  });

  test('of one scope does not keep anyone from another scope', () => {
    const control = changeControl();
    control.ask('one', 'deployment');
    expect(control.ask('two', 'deployment', { scope: 'web' })).toHaveProperty('status', 'granted');
  });

  test('passes to the queue by priority, then by arrival', () => {
    const control = changeControl();
    control.ask('holder', 'deployment');
    expect(control.ask('second', 'deployment', { onBusy: 'queue' })).toMatchObject({ status: 'queued', position: 1 });
    expect(control.ask('third', 'deployment', { onBusy: 'queue' })).toMatchObject({ status: 'queued', position: 2 });
    expect(control.ask('review', 'review', { onBusy: 'queue' })).toMatchObject({ status: 'queued', position: 3 });
    expect(control.ask('rollback', 'rollback', { onBusy: 'queue' })).toMatchObject({ status: 'queued', position: 1 });
    const served = ['holder'];
    while (control.queued().length > 0) {
      control.release(served.at(-1)!);
      served.push(control.signals().at(-1)!.replace('leaseGranted to ', ''));
    }
    expect(served).toEqual(['holder', 'rollback', 'second', 'third', 'review']);
  });

  test('that is asked for again by its holder comes with a new, higher token', () => {
    const control = changeControl();
    const first = control.ask('deploy', 'deployment');
    const again = control.ask('deploy', 'deployment');
    expect(tokenOf(again)).toBeGreaterThan(tokenOf(first));
    expect(control.holding()).toEqual(['deploy hold']);
  });

  test('that is asked for again under the same request id comes with the same answer and changes nothing', () => {
    const control = changeControl();
    const first = control.ask('deploy', 'deployment', { requestId: 'same' });
    const before = control.state;
    expect(control.ask('deploy', 'deployment', { requestId: 'same' })).toEqual(first);
    expect(control.state).toBe(before);
  });

  test('that was queued gives the same answer to a repeat, although it was granted meanwhile', () => {
    const control = changeControl();
    control.ask('one', 'deployment');
    const first = control.ask('two', 'deployment', { requestId: 'same', onBusy: 'queue' });
    control.release('one');
    expect(control.ask('two', 'deployment', { requestId: 'same', onBusy: 'queue' })).toEqual(first);
    expect(control.granted('two')).toMatchObject({ requestId: 'same' });
  });

  test('is not released by anyone but its holder', () => {
    const control = changeControl();
    control.ask('one', 'deployment');
    const before = control.state;
    control.release('two');
    expect(control.state).toBe(before);
  });

  test('is not released by another run chain under the same workflow id', () => {
    const control = changeControl();
    control.ask('one', 'deployment');
    const other = { workflowId: 'one', firstRunId: 'later' };
    expect(release(control.state, { scope: 'shop', holder: other, state: 'clean' }, START)).toBe(control.state);
  });

  test('gives up its place in the queue when a waiting request is withdrawn', () => {
    const control = changeControl();
    control.ask('one', 'deployment');
    control.ask('two', 'deployment', { onBusy: 'queue' });
    control.release('two');
    expect(control.queued()).toEqual([]);
  });

  test('is refused when the queue is full', () => {
    const control = changeControl();
    control.ask('holder', 'deployment');
    for (let n = 0; n < LONGEST_QUEUE; n++) control.ask(`w${n}`, 'deployment', { onBusy: 'queue' });
    expect(control.ask('last', 'deployment', { onBusy: 'queue' })).toMatchObject({ status: 'refused', code: 'busy' });
  });
});

describe('tokens and sequence numbers', () => {
  test('rise with every grant, also when the clock stands still', () => {
    const control = changeControl();
    const tokens = Array.from({ length: 20 }, (_, n) => {
      const token = tokenOf(control.ask(`h${n}`, 'deployment'));
      control.release(`h${n}`);
      return token;
    });
    expect(tokens).toEqual([...new Set(tokens)].sort((one, other) => one - other));
  });

  test('of a change control that was started anew outrank the fences that the former one left', () => {
    const former = changeControl();
    const last = tokenOf(former.ask('old', 'deployment'));
    const anew = changeControl();
    anew.wait(60_000);
    expect(tokenOf(anew.ask('new', 'deployment'))).toBeGreaterThan(last);
  });

  test('rise by exactly one with every grant, release, refusal and reservation', () => {
    const control = changeControl();
    expect(control.ask('one', 'deployment', { mode: 'reserve' })).toMatchObject({ sequence: 1 });
    expect(control.ask('one', 'deployment')).toMatchObject({ sequence: 2 });
    expect(control.ask('two', 'deployment')).toMatchObject({ status: 'refused', sequence: 3 });
    control.release('one');
    expect(control.state.sequence).toBe(4);
  });
});

describe('a reservation', () => {
  test.each([
    ['deployment', 'reserve'],
    ['deployment', 'hold'],
    ['maintenance', 'hold'],
    ['review', 'reserve'],
  ] as const)('keeps another %s out that wants to %s', (priority, mode) => {
    const control = changeControl();
    expect(control.ask('one', 'deployment', { mode: 'reserve' })).toHaveProperty('status', 'reserved');
    expect(control.ask('two', priority, { mode })).toMatchObject({ status: 'refused', code: 'busy' });
    expect(control.ask('three', priority, { mode, onBusy: 'queue' })).toHaveProperty('status', 'queued');
  });

  test.each(['rollback', 'incident'] as const)('does not keep a %s out, and stays for when it is over', (priority) => {
    const control = changeControl();
    control.ask('deploy', 'deployment', { mode: 'reserve' });
    expect(control.ask('urgent', priority)).toHaveProperty('status', 'granted');
    expect(control.signals()).toEqual([]);
    expect(control.ask('deploy', 'deployment', { onBusy: 'queue' })).toHaveProperty('status', 'queued');
    control.release('urgent');
    expect(control.holding()).toEqual(['deploy hold']);
  });

  test('becomes the lease when its holder asks for it', () => {
    const control = changeControl();
    control.ask('deploy', 'deployment', { mode: 'reserve' });
    expect(control.ask('deploy', 'deployment')).toHaveProperty('status', 'granted');
    expect(control.holding()).toEqual(['deploy hold']);
  });

  test('asked for by who holds the lease leaves the lease: a reset procedure may have changed half of the target', () => {
    const control = changeControl();
    control.ask('deploy', 'deployment');
    expect(control.ask('deploy', 'deployment', { mode: 'reserve' })).toHaveProperty('status', 'reserved');
    expect(control.holding()).toEqual(['deploy hold']);
  });

  test('of a holder that ended vanishes, and the next is served', () => {
    const control = changeControl();
    control.ask('one', 'deployment', { mode: 'reserve' });
    control.ask('two', 'deployment', { mode: 'reserve', onBusy: 'queue' });
    control.ends('one');
    expect(control.holding()).toEqual(['two reserve']);
    expect(control.granted('two')).not.toHaveProperty('token');
  });
});

describe('preemption', () => {
  const preempted = (priority: Priority = 'rollback') => {
    const control = changeControl();
    const token = tokenOf(control.ask('deploy', 'deployment'));
    const reply = control.ask('urgent', priority, { preempt: true });
    return { control, token, reply };
  };

  test.each(['rollback', 'incident'] as const)('by a %s asks the holder to stand down and queues', (priority) => {
    const { control, reply } = preempted(priority);
    expect(reply).toMatchObject({ status: 'queued', position: 1, behind: { workflowId: 'deploy' } });
    expect(control.signals()).toEqual(['standDown to deploy']);
    expect(control.wakesIn()).toBe(STAND_DOWN_GRACE_MS);
  });

  test('gives the lease when the holder releases it, and says that it stood down', () => {
    const { control, token } = preempted();
    control.release('deploy', 'handed-over');
    const grant = control.granted('urgent')!;
    expect(grant.takenFrom).toMatchObject({ how: 'stood-down', holder: { workflowId: 'deploy' } });
    expect(grant.token).toBeGreaterThan(token);
  });

  test('gives the lease after the grace time, not before, and says that the holder was displaced', () => {
    const { control } = preempted();
    control.wait(STAND_DOWN_GRACE_MS - 1);
    expect(control.granted('urgent')).toBeUndefined();
    control.wait(1);
    expect(control.granted('urgent')?.takenFrom).toMatchObject({ how: 'displaced', holder: { workflowId: 'deploy' } });
    expect(control.holding()).toEqual(['urgent hold']);
  });

  test('leaves a displaced holder nothing to release and nothing to dirty', () => {
    const { control } = preempted();
    control.wait(STAND_DOWN_GRACE_MS);
    control.release('deploy', 'dirty');
    control.ends('deploy');
    expect(control.holding()).toEqual(['urgent hold']);
  });

  test('asks a holder once, however many ask for it, and the most urgent goes first', () => {
    const { control } = preempted('rollback');
    control.ask('incident', 'incident', { preempt: true });
    expect(control.signals()).toEqual(['standDown to deploy']);
    control.wait(STAND_DOWN_GRACE_MS);
    expect(control.holding()).toEqual(['incident hold']);
    expect(control.queued()).toEqual(['urgent']);
  });

  test.each([
    ['a deployment', 'deployment', 'deployment'],
    ['a rollback of another rollback', 'rollback', 'rollback'],
    ['a rollback of an incident', 'incident', 'rollback'],
  ] as const)('by %s has no effect', (_name, held, asking) => {
    const control = changeControl();
    control.ask('holder', held);
    expect(control.ask('asking', asking, { preempt: true })).toHaveProperty('status', 'refused');
    expect(control.signals()).toEqual([]);
  });

  test('whose asker has gone leaves a target that was handed over midway dirty', () => {
    const { control } = preempted();
    control.ends('urgent');
    control.release('deploy', 'handed-over');
    expect(control.holding()).toEqual(['deploy dirty']);
  });

  test('whose asker has gone leaves the lease of a holder that goes on as it is', () => {
    const { control } = preempted();
    control.release('urgent');
    control.wait(STAND_DOWN_GRACE_MS);
    expect(control.holding()).toEqual(['deploy hold']);
    control.release('deploy', 'clean');
    expect(control.holding()).toEqual([]);
  });

  test('of a holder that dies within the grace time waits until its last call is over', () => {
    const { control } = preempted();
    control.wait(STAND_DOWN_GRACE_MS - 1000);
    control.ends('deploy');
    control.wait(1000);
    expect(control.holding()).toEqual(['deploy dirty']);
    control.wait(LONGEST_MUTATION_MS);
    expect(control.granted('urgent')?.takenFrom).toMatchObject({ how: 'dirty' });
  });
});

describe('a dirty lease', () => {
  const dirty = (end: HolderEnd = 'terminated') => {
    const control = changeControl();
    control.ask('deploy', 'deployment');
    control.ends('deploy', end);
    return control;
  };

  test.each(['completed', 'failed', 'canceled', 'terminated', 'timed-out', 'not-found'] as const)(
    'is what a holder leaves that %s without releasing it',
    (end) => expect(dirty(end).holding()).toEqual(['deploy dirty']),
  );

  test('is what a holder leaves that gives up', () => {
    const control = changeControl();
    control.ask('deploy', 'deployment');
    control.release('deploy', 'dirty');
    expect(control.holding()).toEqual(['deploy dirty']);
  });

  test.each(['refuse', 'queue'] as const)('is refused to a deployment that would %s, with what to do', (onBusy) => {
    const reply = dirty().ask('next', 'deployment', { onBusy });
    expect(reply).toMatchObject({ status: 'refused', code: 'dirty' });
    expect(reply).toHaveProperty('message', expect.stringContaining('windlass rollback sandbox local shop'));
    expect(reply).toHaveProperty('message', expect.stringContaining('was terminated'));
  });

  test('is not given to a reset run of the holder that left it', () => {
    expect(dirty().ask('deploy', 'deployment')).toMatchObject({ status: 'refused', code: 'dirty' });
  });

  test.each(['rollback', 'incident'] as const)(
    'is given to a %s once nothing of the dead can be under way',
    (priority) => {
      const control = dirty();
      expect(control.ask('urgent', priority)).toHaveProperty('status', 'queued');
      expect(control.wakesIn()).toBe(LONGEST_MUTATION_MS);
      control.wait(LONGEST_MUTATION_MS - 1);
      expect(control.granted('urgent')).toBeUndefined();
      control.wait(1);
      expect(control.granted('urgent')?.takenFrom).toMatchObject({ how: 'dirty', holder: { workflowId: 'deploy' } });
    },
  );

  test('is given at once to a rollback that comes later', () => {
    const control = dirty();
    control.wait(LONGEST_MUTATION_MS);
    expect(control.ask('rollback', 'rollback')).toMatchObject({ status: 'granted', takenFrom: { how: 'dirty' } });
  });

  test('may be reserved by a planned rollback at once, because that changes nothing yet', () => {
    expect(dirty().ask('rollback', 'rollback', { mode: 'reserve' })).toHaveProperty('status', 'reserved');
  });

  test('keeps deployments waiting that were queued before, until a rollback has cleaned it', () => {
    const control = changeControl();
    control.ask('one', 'deployment');
    control.ask('two', 'deployment', { onBusy: 'queue' });
    control.ends('one');
    control.wait(LONGEST_MUTATION_MS);
    expect(control.queued()).toEqual(['two']);
    control.ask('rollback', 'rollback');
    control.release('rollback');
    expect(control.holding()).toEqual(['two hold']);
  });

  test('is cleaned by a repair, not before nothing of the dead can be under way', () => {
    const control = dirty();
    expect(control.repair()).toMatchObject({ accepted: false, message: expect.stringContaining('10 s') });
    control.wait(LONGEST_MUTATION_MS);
    expect(control.repair()).toHaveProperty('accepted', true);
    expect(control.ask('next', 'deployment')).toHaveProperty('status', 'granted');
  });

  test('is the only thing that a repair repairs', () => {
    const control = changeControl();
    control.ask('deploy', 'deployment');
    expect(control.repair()).toHaveProperty('accepted', false);
    expect(control.holding()).toEqual(['deploy hold']);
  });
});

describe('a grant by signal', () => {
  const underWay = () => {
    const control = changeControl();
    control.ask('one', 'deployment');
    control.ask('two', 'deployment', { onBusy: 'queue' });
    control.ask('three', 'deployment', { onBusy: 'queue' });
    control.release('one');
    return control;
  };

  test('that cannot be delivered passes on to the next: its holder never knew of it', () => {
    const control = underWay();
    control.deliver(false);
    expect(control.holding()).toEqual(['three hold']);
    expect(control.signals()).toEqual(['leaseGranted to three']);
  });

  test('passes on also when the end of its holder is known before the delivery fails', () => {
    const control = underWay();
    control.ends('two');
    expect(control.holding()).toEqual(['two hold']);
    control.deliver(false);
    expect(control.holding()).toEqual(['three hold']);
  });

  test('whose holder gave it up dirty stays dirty, whatever is known of the delivery', () => {
    const control = underWay();
    control.release('two', 'dirty');
    control.deliver(false);
    expect(control.holding()).toEqual(['two dirty']);
  });

  test('that was delivered to a holder that then ended leaves the lease dirty', () => {
    const control = underWay();
    control.ends('two');
    control.deliver(true);
    expect(control.holding()).toEqual(['two dirty']);
  });

  test('of a target taken from another leaves it dirty when it cannot be delivered', () => {
    const control = changeControl();
    control.ask('deploy', 'deployment');
    control.ask('rollback', 'rollback', { preempt: true });
    control.wait(STAND_DOWN_GRACE_MS);
    control.deliver(false);
    expect(control.holding()).toEqual(['deploy dirty']);
    expect(viewState(control.state).leases[0]?.dirty?.reason).toMatch(
      /rollback of shop.* ended before it could take over/,
    );
  });

  test('stays to be delivered until its delivery is known', () => {
    const control = underWay();
    expect(control.signals()).toEqual(['leaseGranted to two']);
    control.deliver();
    expect(control.signals()).toEqual([]);
    expect(control.holding()).toEqual(['two hold']);
  });
});

describe('what operators see', () => {
  test('phase is the most urgent of all scopes', () => {
    const control = changeControl();
    expect(phaseOf(control.state)).toBe('idle');
    control.ask('one', 'deployment', { mode: 'reserve' });
    expect(phaseOf(control.state)).toBe('reserved');
    control.ask('two', 'deployment', { scope: 'web' });
    expect(phaseOf(control.state)).toBe('held');
    control.ends('two');
    expect(phaseOf(control.state)).toBe('dirty');
  });

  test('details name the holder, the queue in order and what to do about a dirty lease', () => {
    const control = changeControl();
    control.ask('one', 'deployment');
    control.ask('two', 'deployment', { onBusy: 'queue' });
    control.ask('urgent', 'rollback', { onBusy: 'queue' });
    expect(renderChangeControl(control.state)).toMatch(/\*\*shop\*\* held.* one of shop[^]*1\. .*urgent[^]*2\. .*two/);
    control.ends('one');
    expect(renderChangeControl(control.state)).toContain('windlass rollback sandbox local shop');
  });

  test('details of many leases and a long queue stay under the 20,000 bytes of the server', () => {
    const control = changeControl();
    const long = (n: number): Holder => ({
      ...holderOf(`w${n}`),
      workflowId: `${n}${'w'.repeat(900)}`,
      summary: 'ä'.repeat(500),
    });
    for (let n = 0; n < 300; n++) {
      control.ask(`w${n}`, 'deployment', { holder: long(n), onBusy: 'queue' });
      control.ask(`s${n}`, 'deployment', { holder: long(n), scope: `s${n}` });
    }
    expect(renderChangeControl(control.state)).toMatch(/and \d+ more[^]*and \d+ more/);
    expect(new TextEncoder().encode(renderChangeControl(control.state)).length).toBeLessThan(20_000);
  });

  test('the end of every holder and of the next in line is watched, and of no dead one', () => {
    const control = changeControl();
    control.ask('holder', 'deployment');
    for (let n = 0; n < 50; n++) control.ask(`w${n}`, 'deployment', { onBusy: 'queue' });
    expect(watchedHolders(control.state)).toHaveLength(1 + WATCHED_IN_QUEUE);
    control.ends('holder');
    expect(watchedHolders(control.state).map(({ workflowId }) => workflowId)).not.toContain('holder');
  });
});
