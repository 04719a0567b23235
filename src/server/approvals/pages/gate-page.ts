import { html } from 'hono/html';
import type { DecisionResult, GateView, VoteView } from '../../../contracts/gates.ts';
import { readableTime } from '../../../domain/details-text.ts';
import { formatDuration } from '../../../domain/duration.ts';
import { whoVoted } from '../../../domain/gate-view.ts';
import type { GateSight } from '../desk.ts';
import { decisionForms, type Filled } from './decision-forms.ts';
import { page, term, type Html, type Layout } from './layout.ts';
import { linked, planSections } from './plan-sections.ts';

export interface GatePage {
  layout: Omit<Layout, 'title'>;
  sight: GateSight;
  csrf: string;
  now: number;
  /** Of the Temporal UI, when its address is known. */
  link?: string | undefined;
  /** The answer to what was just sent, and what had been filled in. */
  answer?: Pick<DecisionResult, 'code' | 'message'> | undefined;
  filled?: Filled | undefined;
}

/** All that somebody must see before they decide, in that order, and what they can do. */
export function gatePage(shown: GatePage): Html {
  const { layout, sight, answer, now, link } = shown;
  const { gate, run, progress } = sight;
  return page(
    { ...layout, title: gate.asks },
    html`<h1>${gate.asks}</h1>
      <p class="lead">${run.summary || progress?.step || run.workflowId}</p>
      ${answer ? answerBox(answer) : ''} ${standing(gate, now)}
      <section aria-labelledby="about">
        <h2 id="about">What it is about</h2>
        <dl>
          ${term('Procedure', html`${run.procedure} <span class="dim">${run.workflowId}</span>`)}
          ${term('Where', `${run.system} ${run.environment}`)} ${term('Asked by', run.requestedBy || 'nobody')}
          ${term('Gate', `${gate.name} (${gate.kind})`)} ${term('Code', html`<code>${gate.code}</code>`)}
        </dl>
      </section>
      ${progress?.plan ? planSections(progress.plan) : ''} ${evidence(sight, link)} ${decided(gate)}
      ${decisionForms(shown)}`,
  );
}

/** `role=status` is read out after the page came anew. */
const answerBox = ({ code, message }: Pick<DecisionResult, 'code' | 'message'>): Html =>
  html`<div class="answer ${code === 'recorded' ? 'good' : 'bad'}" role="${code === 'recorded' ? 'status' : 'alert'}">
    <strong>${code === 'recorded' ? 'Recorded.' : 'Not counted.'}</strong> ${message}
  </div>`;

const SILENCE: Record<NonNullable<GateView['onExpiry']>, string> = {
  rejected: 'silence is a no',
  escalate: 'silence asks those above',
  continue: 'silence lets it go on',
};

function standing(gate: GateView, now: number): Html {
  const left = Date.parse(gate.expiresAt) - now;
  const waits = gate.outcome === 'waiting';
  return html`<ul class="standing" aria-label="State of the gate">
    <li><span class="badge ${gate.outcome}">${gate.outcome}</span></li>
    <li>
      <strong>${gate.approvals.length} of ${gate.quorum}</strong> ${gate.quorum === 1 ? 'approval' : 'approvals'} of
      ${gate.roles.join(' or ')}
    </li>
    ${
      waits
        ? html`<li>
            <strong>${left > 0 ? `${formatDuration(left)} left` : 'time is over'}</strong>, until
            <time datetime="${gate.expiresAt}">${readableTime(gate.expiresAt)}</time>;
            ${SILENCE[gate.onExpiry ?? 'rejected']}
          </li>`
        : ''
    }
    ${gate.escalatedAt ? html`<li>Nobody decided in time, so it was escalated.</li>` : ''}
  </ul>`;
}

function evidence({ progress, run }: GateSight, link: string | undefined): Html {
  const lines = progress?.lines ?? [];
  return html`<section aria-labelledby="evidence">
    <h2 id="evidence">Checks and evidence</h2>
    <ul>
      ${lines.map((line) => html`<li>${linked(line)}</li>`)}
      ${link ? html`<li><a href="${link}" rel="noreferrer">History of this run in the Temporal UI</a></li>` : ''}
      <li>In a terminal: <code>windlass status ${run.workflowId}</code></li>
    </ul>
    ${
      progress && progress.timeline.length > 0
        ? html`<details>
            <summary>So far (${progress.timeline.length})</summary>
            <ol class="timeline">
              ${progress.timeline.map(({ at, text }) => html`<li><time datetime="${at}">${readableTime(at)}</time> ${text}</li>`)}
            </ol>
          </details>`
        : ''
    }
  </section>`;
}

const DID = { approve: 'approved', reject: 'rejected', retract: 'took the approval back', withdraw: 'withdrew it' };

function decided({ decisions = [], approvals, quorum }: GateView): Html {
  const missing = Math.max(0, quorum - approvals.length);
  return html`<section aria-labelledby="decided">
    <h2 id="decided">Who decided</h2>
    ${
      decisions.length === 0
        ? html`<p>Nobody yet.</p>`
        : html`<ul>
            ${decisions.map(
              (vote) =>
                html`<li class="${vote.decision}">
                  <strong>${whoVoted(vote)}</strong> ${vote.breakGlass ? 'BROKE THE GLASS' : DID[vote.decision]}
                  <time class="dim" datetime="${vote.at}">${readableTime(vote.at)}</time>${remarks(vote)}
                </li>`,
            )}
          </ul>`
    }
    ${decisions.length > 0 && missing > 0 ? html`<p>${missing} more to go.</p>` : ''}
  </section>`;
}

function remarks({ reason, fields = {} }: VoteView): Html | '' {
  const filled = Object.entries(fields).map(([name, value]) => `${name}: ${String(value)}`);
  const all = [...(reason ? [reason] : []), ...filled];
  return all.length === 0 ? '' : html`<br /><q>${all.join('; ')}</q>`;
}
