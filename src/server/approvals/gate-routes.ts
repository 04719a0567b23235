import type { Context } from 'hono';
import type { DecisionResult } from '../../contracts/gates.ts';
import { parseJson, Refusal } from '../requests.ts';
import { wantsPage, type App } from './context.ts';
import type { Desk, GateSight, Said } from './desk.ts';
import { gatePage } from './pages/gate-page.ts';
import { listPage } from './pages/list-page.ts';
import type { Filled } from './pages/decision-forms.ts';
import { saidOf, saidOfForm } from './said.ts';
import { STATUS_OF } from './statuses.ts';
import { whoAsks, type Caller, type Identification } from './who.ts';

export interface GateRoutes extends Identification {
  desk: Desk;
  layout: { style: string };
  linkTo?: ((workflowId: string, runId: string) => string) | undefined;
  log: Record<'info', (fields: object, text: string) => void>;
}

/** Gates as JSON for programs, as pages for browsers, and the decisions of both. */
export function gateRoutes(app: App, options: GateRoutes): void {
  const { desk, sessions, limiter, layout, linkTo, log } = options;
  const caller = (context: Context): Promise<Caller> => whoAsks(context, context.get('address') as string, options);

  app.get('/gates', async (context) => {
    const { visitor, session } = await caller(context);
    const waiting = await desk.waiting(visitor);
    if (session && wantsPage(context))
      return context.html(
        listPage({ ...layout, session: shownOf(session, nameOf(waiting.gates)) }, waiting, Date.now()),
      );
    return context.json({ gates: waiting.gates.map(brief), unseen: waiting.unseen });
  });

  app.get('/gates/:id', async (context) => {
    const { visitor, session } = await caller(context);
    const sight = await desk.find(context.req.param('id'), visitor);
    if (!session || !wantsPage(context)) return context.json(whole(sight));
    const note = await sessions.note.open(context.req.query('note'));
    const answer = note?.gate === sight.id ? { code: 'recorded' as const, message: note.text } : undefined;
    return show(context, { session, sight, answer });
  });

  app.post('/gates/:id/decisions', async (context) => {
    const { visitor, session } = await caller(context);
    const id = context.req.param('id');
    const form = await formOf(context);
    // A token is sent by programs on purpose; a cookie is sent by browsers whoever asks them to.
    if (session) sessions.checkOrigin(context, session, form?.['csrf'] ?? context.req.header('x-csrf-token'));
    const { issuer, subject } = visitor.identity;
    await limiter.decisionsPerPerson.take(`${issuer} ${subject}`);
    const said = form ? saidOfForm(form) : saidOf(parseJson(await context.req.text()));
    const { result, sight } = await desk.decide(id, said, visitor);
    tell(sight, said, result);
    if (!session || !wantsPage(context)) return context.json(result, STATUS_OF[result.code]);
    if (result.code !== 'recorded') {
      // What the gate is now: it may have been decided while the person read.
      const now = await desk.find(id, visitor);
      return show(context, { session, sight: now, answer: result, filled: form }, STATUS_OF[result.code]);
    }
    // Loading that page again sends nothing again.
    const note = await sessions.note.close({ text: result.message, gate: id }, NOTE_SECONDS);
    return context.redirect(`/gates/${id}?note=${note}`, 303);
  });

  function show(
    context: Context,
    { session, sight, answer, filled }: Shown,
    status: (typeof STATUS_OF)[DecisionResult['code']] = 200,
  ): Response | Promise<Response> {
    const link = linkTo?.(sight.run.workflowId, sight.run.runId);
    const { csrf } = session;
    const page = {
      layout: { ...layout, session: shownOf(session, sight.me.name) },
      sight,
      csrf,
      now: Date.now(),
      link,
    };
    return context.html(gatePage({ ...page, answer, filled }), status);
  }

  function tell({ me, run, gate }: GateSight, { decision, breakGlass }: Said, { code }: DecisionResult): void {
    log.info({ by: me.name, workflowId: run.workflowId, gate: gate.name, decision, breakGlass, code }, 'decision');
  }
}

interface Shown {
  session: NonNullable<Caller['session']>;
  sight: GateSight;
  answer?: Pick<DecisionResult, 'code' | 'message'> | undefined;
  filled?: Filled | undefined;
}

const NOTE_SECONDS = 60;

/** The body of a form; undefined when it is JSON. @throws Refusal 415 */
async function formOf(context: Context): Promise<Filled | undefined> {
  const type = (context.req.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === 'application/json') return undefined;
  if (type === 'application/x-www-form-urlencoded') return context.req.parseBody();
  throw new Refusal(415, 'expected application/json');
}

const nameOf = ([first]: GateSight[]): string | undefined => first?.me.name;

const shownOf = ({ csrf, visitor }: NonNullable<Caller['session']>, name: string | undefined) => ({
  csrf,
  name: name ?? visitor.identity.email ?? visitor.identity.subject,
});

/** A gate in the list. */
const brief = ({ id, run, gate, may }: GateSight) => ({ id, run, gate, may });

/** A gate with what is decided. */
const whole = ({ progress, me, ...sight }: GateSight) => ({
  ...brief(sight as GateSight),
  me: me.name,
  ...(progress ? { step: progress.step, lines: progress.lines, plan: progress.plan } : {}),
});
