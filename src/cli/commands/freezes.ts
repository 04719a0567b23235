import { freezeAt } from '../../calendar/freezes.ts';
import { freezesIn } from '../../catalog/freezes.ts';
import { loadCatalog } from '../../catalog/load.ts';
import { compileEnvironment } from '../../catalog/slice.ts';
import { changeControlId, endFreezeSchema, startFreezeSchema } from '../../contracts/change-control.ts';
import { CHANGE_KINDS, type FreezeRule } from '../../contracts/freeze.ts';
import { place } from '../../contracts/scalars.ts';
import { startedRules } from '../../domain/change/freezes.ts';
import { parseDuration } from '../../domain/duration.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { renderEnvironments, renderRules, type FrozenEnvironment } from '../render/freezes.ts';
import { askFreezes, orderChangeControl } from '../server/change-control.ts';
import type { Session } from '../server/session.ts';
import { checkMessage } from '../start-input.ts';

/** Of when, and of which catalog. */
export interface FreezeFlags {
  at?: string;
  catalog: string;
  overlay: string[];
}

export interface StartFlags {
  until: string;
  reason: string;
  name: string;
  changes?: string[];
}

export interface EndFlags {
  name: string;
  reason?: string;
}

type Places = (string | undefined)[];

/** `freezes list`: a line for each kind of change in each environment. */
export function listFreezes(context: Context, [system, environment]: Places, flags: FreezeFlags): Promise<ExitCode> {
  const at = momentOf(flags.at);
  return context.withSession(async (session) => {
    const places = await placesOf(flags, system, environment);
    const found = await Promise.all(places.map((each) => look(context, session, each, at)));
    context.out.result({ at: new Date(at).toISOString(), environments: found.map(withoutRules) }, () =>
      renderEnvironments(found, context.out.paint),
    );
    return EXIT.ok;
  });
}

/** `freezes show`: the same of one environment, and every freeze it has. */
export function showFreezes(context: Context, [system, environment]: Places, flags: FreezeFlags): Promise<ExitCode> {
  const at = momentOf(flags.at);
  return context.withSession(async (session) => {
    const [only] = await placesOf(flags, system, environment);
    if (!only) throw new CliError('usage', `There is no environment ${environment} of ${system}.`);
    const found = await look(context, session, only, at);
    context.out.result({ at: new Date(at).toISOString(), ...found }, () =>
      [renderEnvironments([found], context.out.paint), '', renderRules(found.freezes)].join('\n'),
    );
    return EXIT.ok;
  });
}

interface Known {
  system: string;
  environment: string;
  rules: FreezeRule[];
}

/** @throws CliError, CatalogError when there is no such system or environment */
async function placesOf({ catalog, overlay }: FreezeFlags, system?: string, environment?: string): Promise<Known[]> {
  const loaded = await loadCatalog({ directory: catalog, overlays: overlay });
  if (system !== undefined && environment !== undefined) compileEnvironment(loaded, { system, environment });
  return [...loaded.systems].flatMap(([name, { catalog: of }]) =>
    Object.keys(of.environments)
      .filter((each) => (system ?? name) === name && (environment ?? each) === each)
      .map((each) => ({ system: name, environment: each, rules: freezesIn(of, each) })),
  );
}

async function look(context: Context, session: Session, of: Known, at: number): Promise<FrozenEnvironment> {
  const { system, environment } = of;
  const asked = await askFreezes(session, changeControlId(of));
  if (!asked) context.out.note(`No worker told of freezes of ${system} ${environment} that were started by hand.`);
  const rules = [...of.rules, ...startedRules(asked ?? [])];
  return {
    system,
    environment,
    states: CHANGE_KINDS.map((kind) => ({ kind, ...inWords(freezeAt(rules, kind, at)) })),
    freezes: rules,
  };
}

const withoutRules = ({ freezes: _, ...rest }: FrozenEnvironment): Omit<FrozenEnvironment, 'freezes'> => rest;

type InWords = Omit<FrozenEnvironment['states'][number], 'kind'>;

function inWords(found: ReturnType<typeof freezeAt>): InWords {
  const next = found.state === 'open' ? found.closes : found.opens;
  return {
    state: found.state,
    ...(found.rule ? { rule: found.rule } : {}),
    ...(found.state === 'closed' ? { reason: found.reason } : {}),
    ...(next === undefined ? {} : { [found.state === 'open' ? 'closes' : 'opens']: new Date(next).toISOString() }),
  };
}

function momentOf(text: string | undefined): number {
  if (text === undefined) return Date.now();
  const at = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at))
    throw new CliError('usage', `--at: expected a time with its zone, such as 2026-12-24T18:00:00Z, got "${text}".`);
  return at;
}

/** `freeze start`. @throws CliError `invalid-input`, `refused` */
export function startFreeze({ out, me, withSession }: Context, places: Places, flags: StartFlags): Promise<ExitCode> {
  const { name, reason, changes } = flags;
  const length = parseDuration(flags.until);
  const until = length === undefined ? flags.until : new Date(Date.now() + length).toISOString();
  const at = placeOf(places);
  const order = checkMessage(startFreezeSchema, 'freeze start', {
    ...{ name, until, reason, by: me },
    ...(changes ? { changes } : {}),
  });
  return withSession(async (session) => {
    const { message } = await orderChangeControl(session, at, 'startFreeze', order);
    out.result({ ...at, ...order, message }, () => `${message}\nEnd it: windlass freeze end ${at.system} ${at.environment} --name ${name}`); // prettier-ignore
    return EXIT.ok;
  });
}

/** `freeze end`. @throws CliError `refused` */
export function endFreeze({ out, me, withSession }: Context, places: Places, flags: EndFlags): Promise<ExitCode> {
  const { name, reason } = flags;
  const at = placeOf(places);
  const order = checkMessage(endFreezeSchema, 'freeze end', { name, by: me, ...(reason ? { reason } : {}) });
  return withSession(async (session) => {
    const { message } = await orderChangeControl(session, at, 'endFreeze', order);
    out.result({ ...at, ...order, message }, () => message);
    return EXIT.ok;
  });
}

function placeOf([system, environment]: Places): { system: string; environment: string } {
  for (const [what, value] of Object.entries({ system, environment }))
    if (!place.system.safeParse(value).success)
      throw new CliError('usage', `${what}: expected lower-case letters, digits and dashes, got "${value ?? ''}".`);
  return { system: system!, environment: environment! };
}
