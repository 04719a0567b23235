import fc from 'fast-check';
import type { AcquireRequest, Holder, LeaseRelease, Priority } from '../../src/contracts/change-control.ts';
import { acquire } from '../../src/domain/lease/acquire.ts';
import { holderEnded, release, repair, signalSettled, timePassed } from '../../src/domain/lease/events.ts';
import { LONGEST_MUTATION_MS, PRIORITY, STAND_DOWN_GRACE_MS } from '../../src/domain/lease/rules.ts';
import { emptyState, inOrder, isUrgent, scopesOf, type LeaseState } from '../../src/domain/lease/state.ts';
import { bitsOf, must } from '../support/random-steps.ts';

// Random sequences of everything that change control hears. A failure prints its seed, its path and the shortest sequence
// that fails; WINDLASS_SEED=… repeats it.
const SEED = process.env['WINDLASS_SEED'];
const SEQUENCES = 20_000;

const SCOPES = ['shop', 'database/shop', 'web'];
/** What else is asked for at the same time; mostly nothing. */
const ALSO = [[], [], [], ['database/shop'], ['web'], ['database/shop', 'web']];
const HOLDERS = 6;
const PRIORITIES = Object.keys(PRIORITY) as Priority[];
const LEFT = ['clean', 'clean', 'handed-over', 'dirty'] as const;
const WAITS = [0, 1_000, LONGEST_MUTATION_MS, STAND_DOWN_GRACE_MS];
const KINDS = [...Array<'ask'>(8).fill('ask'), 'release', 'release', 'end', 'deliver', 'deliver', 'lose', 'repair', 'wait', 'again', 'carry'] as const; // prettier-ignore

const holderOf = (index: number): Holder => ({
  ...{ workflowId: `holder-${index}`, firstRunId: `run-${index}`, procedure: 'deployRelease' },
  ...{ requestedBy: 'ana', summary: 'a test' },
});

const MOST = KINDS.length * HOLDERS * SCOPES.length * PRIORITIES.length * 2 * 2 * 2 * 4 * ALSO.length;

/** Change control, and what its holders know of it. Holders that ended come back as other ones. */
class World {
  state: LeaseState = emptyState({ system: 'sandbox', environment: 'local' });
  now = Date.UTC(2026, 0, 1);
  /** Token that a holder has in hand, by scope and holder. */
  readonly tokens = new Map<string, number>();
  /** Who was told to wait for what, by request, and has neither been admitted nor gone. */
  readonly waiting = new Map<string, AcquireRequest>();
  private readonly generation = Array<number>(HOLDERS).fill(0);
  private asked: AcquireRequest | undefined;
  private requests = 0;
  private highest = 0;
  private sequence = 0;

  holder(index: number): Holder {
    return holderOf(index + HOLDERS * this.generation[index]!);
  }

  step(number: number): void {
    const take = bitsOf(number);
    const kind = KINDS[take(KINDS.length)]!;
    const index = take(HOLDERS);
    const holder = this.holder(index);
    const scope = SCOPES[take(SCOPES.length)]!;
    const before = this.state;
    switch (kind) {
      case 'ask':
        this.ask({
          requestId: `request-${++this.requests}`,
          ...{ holder, scope, priority: PRIORITIES[take(PRIORITIES.length)]! },
          mode: take(2) === 0 ? 'hold' : 'reserve',
          onBusy: take(2) === 0 ? 'queue' : 'refuse',
          preempt: take(2) === 0,
          ...alsoOf(scope, ALSO[take(ALSO.length)]!),
        });
        break;
      case 'again':
        if (this.asked) this.ask(this.asked);
        break;
      case 'release':
        this.release({ scope, holder, state: LEFT[take(LEFT.length)]! });
        break;
      case 'end':
        this.end(index);
        break;
      case 'deliver':
      case 'lose':
        this.settle(kind === 'deliver');
        break;
      case 'repair':
        this.state = repair(this.state, { scope, by: 'ana', reason: 'looked' }, this.now).state;
        break;
      case 'wait':
        this.wait(WAITS[take(WAITS.length)]!);
        break;
      case 'carry':
        this.state = JSON.parse(JSON.stringify(this.state)) as LeaseState;
        break;
    }
    this.check(before);
    // What a person has repaired is anybody's.
    if (kind !== 'repair') this.checkTaken(before);
  }

  private ask(request: AcquireRequest): void {
    const known = this.state.answers.some(({ requestId }) => requestId === request.requestId);
    const { state, reply } = acquire(this.state, request, this.now);
    this.state = state;
    this.asked = request;
    // An answer that is repeated says what was so then.
    if (known) return;
    this.forget(request.holder, scopesOf(request));
    if (reply.status === 'granted') {
      must(reply.token > this.highest, `token ${reply.token} does not rise above ${this.highest}`);
      this.highest = reply.token;
      for (const scope of scopesOf(request)) this.tokens.set(keyOf(scope, request.holder), reply.token);
    }
    if (reply.status === 'queued') this.waiting.set(request.requestId, request);
  }

  /** Whoever asks anew for a scope, gives it up or ends waits no more for anything with it. */
  private forget({ workflowId }: Pick<Holder, 'workflowId'>, scopes: string[]): void {
    for (const [id, request] of this.waiting)
      if (request.holder.workflowId === workflowId && scopesOf(request).some((each) => scopes.includes(each)))
        this.waiting.delete(id);
  }

  release(what: LeaseRelease): void {
    const key = keyOf(what.scope, what.holder);
    this.state = release(this.state, what, this.now);
    this.tokens.delete(key);
    this.forget(what.holder, [what.scope]);
  }

  private end(index: number): void {
    const holder = this.holder(index);
    this.state = holderEnded(this.state, holder, 'terminated', this.now);
    for (const scope of SCOPES) this.tokens.delete(keyOf(scope, holder));
    this.forget(holder, SCOPES);
    this.generation[index]!++;
  }

  /** The oldest signal arrives, or its receiver is found to be gone. */
  private settle(delivered: boolean): void {
    const out = this.state.outbox[0];
    if (!out) return;
    this.state = signalSettled(this.state, out.id, delivered, this.now);
    if (out.signal !== 'leaseGranted') return;
    const { token } = out.payload;
    if (!this.waiting.delete(out.payload.requestId) || !delivered || token === undefined) return;
    for (const scope of scopesOf(out.payload)) this.tokens.set(keyOf(scope, out.holder), token);
  }

  wait(ms: number): void {
    this.now += ms;
    this.state = timePassed(this.state, this.now);
  }

  /** What must be so after every step. */
  private check(before: LeaseState): void {
    const { leases, queue, outbox, lastToken, sequence } = this.state;
    must(lastToken >= before.lastToken && sequence >= before.sequence, 'a number went back');
    must(sequence >= this.sequence, 'sequence numbers went back');
    this.sequence = sequence;
    this.highest = Math.max(this.highest, lastToken);
    for (const scope of SCOPES) {
      const held = leases.filter((lease) => lease.scope === scope && lease.mode === 'hold');
      must(held.length <= 1, `${scope} is held ${held.length} times`);
      const valid = [...this.tokens].filter(([key, token]) => key.startsWith(`${scope} `) && token === held[0]?.token);
      must(valid.length <= 1, `${valid.length} holders of ${scope} have the newest token`);
    }
    for (const [id, { holder }] of this.waiting) {
      const known =
        queue.some(({ request }) => request.requestId === id) ||
        outbox.some((out) => out.signal === 'leaseGranted' && out.payload.requestId === id);
      must(known, `${holder.workflowId} was told to wait, and is forgotten`);
    }
    this.checkTogether();
  }

  /** Nobody waits with a part of what it waits for: all of it is granted, or none. */
  private checkTogether(): void {
    for (const { request } of this.state.queue) {
      const granted = this.state.leases.filter(({ requestId }) => requestId === request.requestId);
      must(granted.length === 0, `${request.requestId} waits, and has ${granted.length} of its scopes`);
    }
  }

  /** What may be half changed is given to a rollback or an incident only, when nothing of the dead holder is under way. */
  private checkTaken(before: LeaseState): void {
    for (const former of before.leases.filter(({ dirty }) => dirty)) {
      const lease = this.state.leases.find(({ scope, mode }) => scope === former.scope && mode === 'hold');
      if (!lease || lease.token === former.token) continue;
      must(isUrgent(lease.priority), `a dirty lease went to ${lease.priority}`);
      must(this.now >= former.dirty!.since + LONGEST_MUTATION_MS, 'a dirty lease was taken too early');
    }
  }

  /** Everybody who has something gives it back, signals arrive, people repair what is dirty, and time passes. */
  everybodyEnds(): void {
    while (this.state.outbox.length > 0) this.settle(true);
    this.wait(STAND_DOWN_GRACE_MS);
    for (const { scope } of this.state.leases.filter(({ dirty }) => dirty))
      this.state = repair(this.state, { scope, by: 'ana', reason: 'looked' }, this.now).state;
    for (const { scope, holder } of this.state.leases.filter(({ dirty }) => !dirty))
      this.release({ scope, holder, state: 'clean' });
  }
}

const alsoOf = (scope: string, also: string[]): { also?: string[] } => {
  const others = also.filter((each) => each !== scope);
  return others.length > 0 ? { also: others } : {};
};

const keyOf = (scope: string, { workflowId }: { workflowId: string }): string => `${scope} ${workflowId}`;

test(`${SEQUENCES} random sequences: never two holders, no lost waiter, no dirty target for a deployment, and whoever is first in line is served next`, () => {
  let waited = 0;
  fc.assert(
    fc.property(fc.array(fc.nat(MOST), { minLength: 4, maxLength: 24, size: 'max' }), (steps) => {
      const world = new World();
      for (const step of steps) world.step(step);
      // The bound on waiting: each time that all who have something give it back, the first in line of a scope is served,
      // or a rollback or incident before it that takes over what a holder left midway, or one that holds a part already.
      for (let left = world.state.queue.length; left > 0;) {
        waited++;
        const line = inOrder(world.state.queue).map(({ request }) => request);
        // Who has something already may ask for more before others do who wait for it.
        const having = new Set(world.state.leases.map(({ holder }) => holder.workflowId));
        world.everybodyEnds();
        const still = world.state.queue.map(({ request }) => request.requestId);
        // Whoever is first of all waits for nobody who waits: no circle of waiting can be closed.
        const first = line[0]!;
        const served = line.filter(({ requestId }) => !still.includes(requestId));
        const mayPass = ({ holder, mode, priority }: AcquireRequest): boolean =>
          (mode === 'hold' && isUrgent(priority)) || having.has(holder.workflowId);
        must(served.some((each) => each === first || mayPass(each)), 'the first in line was passed over'); // prettier-ignore
        // And whoever shares nothing with those before it is served too.
        for (const [index, request] of line.entries()) {
          const before = line.slice(0, index).flatMap(scopesOf);
          if (scopesOf(request).some((each) => before.includes(each)) || line.slice(index + 1).some(mayPass)) continue;
          must(served.includes(request), `${request.requestId} stands in nobody's way, and waits`);
        }
        left = still.length;
      }
    }),
    { numRuns: SEQUENCES, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
  );
  // The sequences are worth something: many of them end with a queue.
  expect(waited).toBeGreaterThan(SEQUENCES / 10);
});
