import { html } from 'hono/html';
import { formatDuration } from '../../../domain/duration.ts';
import type { GateSight } from '../desk.ts';
import type { RunShown } from '../run.ts';
import { page, type Html, type Layout } from './layout.ts';

/** Gates that wait for the person who looks. */
export const listPage = (
  layout: Omit<Layout, 'title'>,
  { gates, unseen }: { gates: GateSight[]; unseen: RunShown[] },
  now: number,
): Html =>
  page(
    { ...layout, title: 'Waits for you' },
    html`<h1>Waits for you</h1>
      ${gates.length === 0 && unseen.length === 0 ? html`<p>Nothing.</p>` : ''}
      <ul class="cards">
        ${gates.map(
          ({ id, gate, run }) =>
            html`<li>
              <a href="/gates/${id}">${gate.asks}</a>
              <span>${run.summary || run.workflowId}</span>
              <span class="dim">
                ${run.system} ${run.environment}, asked by ${run.requestedBy || 'nobody'}; ${gate.approvals.length} of
                ${gate.quorum} approvals; ${formatDuration(Math.max(0, Date.parse(gate.expiresAt) - now))} left
              </span>
            </li>`,
        )}
      </ul>
      ${
        unseen.length > 0
          ? html`<div class="answer warn" role="note">
              <strong>No worker answers</strong> for these, so their gates cannot be shown now:
              <ul>
                ${unseen.map(({ workflowId, awaiting }) => html`<li>${workflowId}, waits for ${awaiting.join(', ')}</li>`)}
              </ul>
            </div>`
          : ''
      }`,
  );
