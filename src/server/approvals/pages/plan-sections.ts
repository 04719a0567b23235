import { html } from 'hono/html';
import type { Plan, PlannedChange } from '../../../contracts/plan.ts';
import { formatDuration } from '../../../domain/duration.ts';
import type { ReleasePlan } from '../../../domain/release/plan-types.ts';
import { term, type Html } from './layout.ts';

/** The plan: what people must know of it, then each object that would change. */
export function planSections(plan: Plan): Html {
  const { from, to } = plan as Plan & Partial<Pick<ReleasePlan, 'from' | 'to'>>;
  const color = ({ version, deployment, replicas, image }: ReleasePlan['to']): string =>
    `${version} (${deployment}, ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}, ${image})`;
  return html`${
      plan.warnings.length > 0
        ? html`<div class="answer warn" role="note">
            <strong>Warnings</strong>
            <ul>
              ${plan.warnings.map((warning) => html`<li>${warning}</li>`)}
            </ul>
          </div>`
        : ''
    }
    <section aria-labelledby="plan">
      <h2 id="plan">What is approved</h2>
      <dl>
        ${from ? term('From', color(from)) : ''} ${to ? term('To', color(to)) : ''}
        ${(plan.facts ?? []).map(({ label, text }) => term(label, text))} ${term('Blast radius', plan.blastRadius)}
        ${term('Way back', plan.reversibility)}
        ${term('Takes', `about ${formatDuration(plan.expectedDurationMs)}, without waiting for people`)}
        ${term('Digest', html`<code>${plan.digest}</code>`)}
      </dl>
    </section>
    <section aria-labelledby="changes">
      <h2 id="changes">Changes (${plan.changes.length})</h2>
      ${plan.changes.map(change)}
    </section>`;
}

const change = ({ verb, kind, name, why, diff }: PlannedChange): Html =>
  html`<article>
    <h3><span class="verb ${verb}">${verb}</span> ${kind}/${name}</h3>
    <p>${why}</p>
    ${
      diff
        ? html`<details>
            <summary>Difference in ${kind}/${name}</summary>
            <pre tabindex="0" role="region" aria-label="Difference in ${kind}/${name}">
${diff.trimEnd().split('\n').map(diffLine)}</pre>
          </details>`
        : ''
    }
  </article>`;

/** Not by color alone: the signs stay. */
const diffLine = (line: string): Html => {
  const style = /^(@@|\+\+\+|---)/.test(line)
    ? 'dim'
    : line.startsWith('+')
      ? 'added'
      : line.startsWith('-')
        ? 'removed'
        : '';
  return html`<span class="${style}">${line}${'\n'}</span>`;
};

/** Text in which addresses of the web can be followed; nothing else becomes a link. */
export const linked = (text: string): Html[] =>
  text
    .split(/(https?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]])/)
    .map((part, index) => (index % 2 === 1 ? html`<a href="${part}" rel="noreferrer">${part}</a>` : html`${part}`));
