import { html } from 'hono/html';
import type { GateForm } from '../../../contracts/gate-form.ts';
import { SHORTEST_BREAK_GLASS_REASON } from '../../../domain/gate-rights.ts';
import type { GateSight } from '../desk.ts';
import { inputName } from '../said.ts';
import type { Html } from './layout.ts';

/** What a form was sent with, by the names of its inputs. */
export type Filled = Record<string, unknown>;

interface Asked {
  sight: GateSight;
  csrf: string;
  filled?: Filled | undefined;
}

/** What the person may do, each by a button of its own; nothing when they may only look. */
export function decisionForms({ sight, csrf, filled = {} }: Asked): Html {
  const { gate, may, me } = sight;
  if (gate.outcome !== 'waiting')
    return html`<section><p>This gate is ${gate.outcome}: there is nothing to decide any more.</p></section>`;
  const any = Object.values(may).includes(true);
  return html`<section aria-labelledby="decide">
    <h2 id="decide">Decide</h2>
    ${
      any
        ? html`<form method="post" action="/gates/${sight.id}/decisions">
            ${hidden(csrf, gate.code)} ${may.approve && gate.form ? fieldInputs(gate.form, filled) : ''}
            ${comment(gate.comment === 'required' && may.approve, filled)}
            <div class="buttons">
              ${may.approve ? button('approve', 'Approve', 'good') : ''}
              ${may.reject ? button('reject', 'Reject', 'bad', true) : ''}
              ${may.retract ? button('retract', 'Take my approval back', 'quiet', true) : ''}
              ${may.withdraw ? button('withdraw', 'Withdraw what I asked for', 'quiet', true) : ''}
            </div>
          </form>`
        : html`<p>${me.name}, you may look. It is decided by ${gate.roles.join(' or ')}.</p>`
    }
    ${may.breakGlass ? breakGlass(sight, csrf) : ''}
  </section>`;
}

/**
 * Enter in a text field presses a form's first button: that one is disabled, so that nobody approves by accident.
 */
const hidden = (csrf: string, code: string): Html =>
  html`<button type="submit" disabled hidden></button> <input type="hidden" name="csrf" value="${csrf}" /><input
      type="hidden"
      name="code"
      value="${code}"
    />`;

/** All but an approval may be sent with an incomplete form: stopping is never made difficult. */
const button = (decision: string, label: string, style: string, incomplete = false): Html =>
  html`<button name="decision" value="${decision}" class="${style}" ${incomplete ? 'formnovalidate' : ''}>
    ${label}
  </button>`;

const comment = (required: boolean, filled: Filled): Html =>
  html`<label for="reason">Comment ${required ? html`<em>needed to approve</em>` : html`<em>optional</em>`}</label>
    <textarea id="reason" name="reason" rows="2" maxlength="1000" ${required ? 'required' : ''}>
${textOf(filled['reason'])}</textarea>`;

function breakGlass({ id, gate }: GateSight, csrf: string): Html {
  return html`<details class="glass">
    <summary>Emergency: pass it alone</summary>
    <form method="post" action="/gates/${id}/decisions">
      ${hidden(csrf, gate.code)}
      <p id="glass-what">
        You pass the gate without the others. People are told at once, and somebody else reviews it afterwards.
      </p>
      <label for="glass-reason">Reason <em>at least ${SHORTEST_BREAK_GLASS_REASON} characters</em></label>
      <textarea
        id="glass-reason"
        name="reason"
        rows="2"
        minlength="${SHORTEST_BREAK_GLASS_REASON}"
        maxlength="1000"
        required
        aria-describedby="glass-what"
      ></textarea>
      <div class="buttons">${button('break-glass', 'Break the glass', 'bad')}</div>
    </form>
  </details>`;
}

const fieldInputs = ({ properties, required }: GateForm, filled: Filled): Html[] =>
  Object.entries(properties).map(([name, field]) => {
    const needed = required.includes(name);
    const input = inputName(name);
    const given = textOf(filled[input]);
    if (field.type === 'boolean')
      return html`<label class="box">
        <input
          type="checkbox"
          name="${input}"
          value="true"
          ${given === 'true' ? 'checked' : ''}
          ${needed && field.const ? 'required' : ''}
        />
        ${field.description ?? name}
      </label>`;
    return html`<label for="${input}">${field.description ?? name} <em>${needed ? 'needed' : 'optional'}</em></label>
      ${valueInput(input, field, needed, given)}`;
  });

type ValueField = Exclude<GateForm['properties'][string], { type: 'boolean' }>;

function valueInput(id: string, field: ValueField, needed: boolean, given: string): Html {
  const attributes = html`id="${id}" name="${id}" ${needed ? 'required' : ''}`;
  if (field.type === 'string' && field.enum)
    return html`<select ${attributes}>
      <option value="">Choose</option>
      ${field.enum.map((value) => html`<option value="${value}" ${value === given ? 'selected' : ''}>${value}</option>`)}
    </select>`;
  if (field.type === 'string')
    return html`<input
      type="text"
      ${attributes}
      minlength="${field.minLength}"
      maxlength="${field.maxLength}"
      value="${given}"
      autocomplete="off"
    />`;
  const bound = (name: string, value: number | undefined): Html | '' =>
    value === undefined ? '' : html`${name}="${value}"`;
  return html`<input
    type="number"
    ${attributes}
    step="${field.type === 'integer' ? '1' : 'any'}"
    ${bound('min', field.minimum)}
    ${bound('max', field.maximum)}
    value="${given}"
  />`;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
