import type { GateForm } from '../contracts/gate-form.ts';
import type { GateCriteria } from '../contracts/gates.ts';

/** What the answers to the criteria of a gate come to; each fault says which answer cannot be read, and how it is given. */
export type GoNoGo =
  { verdict: 'go' } | { verdict: 'no-go'; because: string[] } | { verdict: 'unclear'; faults: string[] };

const ANSWER = /^(yes|no): *(\S.*)$/s;

/** The form in which criteria are answered: a field for each, with its evidence. */
export function formOfCriteria({ go, noGo }: GateCriteria): GateForm {
  const field = (rule: string, text: string): GateForm['properties'][string] => ({
    type: 'string',
    description: `${rule}: ${text}. Answer "yes: <evidence>" or "no: <evidence>"`,
    minLength: 1,
    maxLength: 1000,
  });
  return {
    properties: {
      ...Object.fromEntries(Object.entries(go).map(([name, text]) => [name, field('Go needs yes', text)])),
      ...Object.fromEntries(Object.entries(noGo).map(([name, text]) => [name, field('No-go if yes', text)])),
    },
    required: [...Object.keys(go), ...Object.keys(noGo)],
  };
}

/** Go when all of `go` are so and none of `noGo` is, each with its evidence; any other answer is a no-go. */
export function judgeCriteria(
  { go, noGo }: GateCriteria,
  answers: Readonly<Record<string, string | number | boolean>>,
): GoNoGo {
  const read = Object.entries({ ...go, ...noGo }).map(([name, text]) => {
    const [, answer, evidence = ''] = ANSWER.exec((answers[name] ?? '').toString().trim()) ?? [];
    return { name, text, answer, evidence, wanted: Object.hasOwn(go, name) ? 'yes' : 'no' };
  });
  const unread = read.filter(({ answer }) => answer === undefined);
  if (unread.length > 0)
    return {
      verdict: 'unclear',
      faults: unread.map(({ name, text }) => `${name}: expected "yes: <evidence>" or "no: <evidence>" (${text})`),
    };
  const against = read.filter(({ answer, wanted }) => answer !== wanted);
  if (against.length === 0) return { verdict: 'go' };
  return {
    verdict: 'no-go',
    because: against.map(({ text, answer, evidence }) => `${text}: ${answer}, ${evidence}`),
  };
}
