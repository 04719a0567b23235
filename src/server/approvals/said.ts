import { z } from 'zod';
import { describeIssues } from '../../contracts/contract.ts';
import { formValues, type FormValues } from '../../contracts/gate-form.ts';
import { text } from '../../contracts/scalars.ts';
import { Refusal } from '../requests.ts';
import type { Said } from './desk.ts';

/** The body of `POST /gates/{id}/decisions`. */
const saidSchema = z.strictObject({
  decision: z.enum(['approve', 'reject', 'retract', 'withdraw']),
  code: z.string().min(1).max(64),
  reason: text.optional(),
  fields: formValues.optional(),
  breakGlass: z.boolean().optional(),
});

/** What a program says. @throws Refusal 400 */
export function saidOf(body: unknown): Said {
  const parsed = saidSchema.safeParse(body);
  if (!parsed.success) throw new Refusal(400, describeIssues(parsed.error).slice(0, 1000));
  if (parsed.data.breakGlass && parsed.data.decision !== 'approve')
    throw new Refusal(400, 'breakGlass: only an approval breaks the glass');
  return parsed.data;
}

const FIELD = 'field:';

/**
 * What a form says: an empty text is nothing, and a box that is not ticked is not sent. Only an approval brings fields:
 * the others are sent by buttons of the same form.
 * @throws Refusal 400
 */
export function saidOfForm(form: Record<string, unknown>): Said {
  const filled = (name: string): string | undefined => {
    const value = form[name];
    return typeof value === 'string' && value.trim() !== '' ? value : undefined;
  };
  const fields: FormValues = Object.fromEntries(
    Object.keys(form).flatMap((name) => {
      const value = name.startsWith(FIELD) ? filled(name) : undefined;
      return value === undefined ? [] : [[name.slice(FIELD.length), value]];
    }),
  );
  const breakGlass = form['decision'] === 'break-glass';
  const decision = breakGlass ? 'approve' : form['decision'];
  return saidOf({
    decision,
    code: form['code'],
    ...(filled('reason') ? { reason: filled('reason') } : {}),
    ...(decision === 'approve' && !breakGlass && Object.keys(fields).length > 0 ? { fields } : {}),
    ...(breakGlass ? { breakGlass } : {}),
  });
}

/** The name of a field's input. */
export const inputName = (field: string): string => `${FIELD}${field}`;
