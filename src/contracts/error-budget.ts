import { z } from 'zod';
import { secretReference, url } from './catalog-parts.ts';
import { duration, name } from './scalars.ts';

const percent = z.number().max(100);
const query = z
  .string()
  .min(1)
  .describe('PromQL that gives one value; $namespace and $window (such as 2592000s) are filled in');

/** Where a zone begins, and where it ends: farther up, or it would come and go with every measurement. */
const limit = z
  .strictObject({
    below: percent.describe('It begins when less than so many percent of the budget are left'),
    returnsAt: percent.describe('It ends when at least so many percent were left for the time of `hold`'),
  })
  .refine((it) => it.returnsAt >= it.below, { path: ['returnsAt'], message: 'expected at least `below`' });

/** One objective and how much it may be missed: its error budget. */
const slo = z
  .strictObject({
    description: z.string().max(300).optional(),
    objective: z.number().gt(0).lt(100).describe('Percent of what happens that shall be good, such as 99.9'),
    window: duration.prefault('30d').describe('The budget is that of the last so much time'),
    burnWindow: duration.prefault('1h').describe('How fast it is used up is measured over the last so much time'),
    errorRatio: query.optional().describe('PromQL of the part that was bad, 0 to 1; or give good and total'),
    good: query.optional().describe('PromQL of how much was good'),
    total: query.optional().describe('PromQL of how much there was'),
    yellow: limit.describe('Releases that are not critical are refused'),
    red: limit.describe('All releases are refused'),
    hold: duration.prefault('30m').describe('A better zone must have been measured for so long before it is entered'),
  })
  .refine((it) => (it.errorRatio === undefined) === (it.good !== undefined && it.total !== undefined), {
    message: 'expected "errorRatio", or "good" and "total"',
  })
  .refine((it) => it.errorRatio === undefined || (it.good === undefined && it.total === undefined), {
    message: 'expected "errorRatio" alone, without "good" and "total"',
  })
  .refine((it) => it.red.below < it.yellow.below, {
    path: ['red', 'below'],
    message: 'expected less than where yellow begins',
  })
  .refine((it) => it.red.returnsAt <= it.yellow.returnsAt, {
    path: ['red', 'returnsAt'],
    message: 'expected at most where yellow ends',
  });

/** A workflow of GitHub Actions that is disabled while releases must not go out. */
const deployWorkflow = z.strictObject({
  repository: z.string().regex(/^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/, 'expected owner/repository'),
  file: z.string().regex(/^[A-Za-z0-9._-]+\.ya?ml$/, 'expected the file name of a workflow, such as deploy.yml'),
  token: secretReference.describe('Token that may write the actions of that repository'),
  disabledIn: z
    .enum(['yellow', 'red'])
    .default('red')
    .describe('Zone from which on it is disabled; it is enabled again in green, by whoever disabled it'),
  url: url
    .refine((value) => !value.endsWith('/'), 'expected a URL without a slash at its end')
    .default('https://api.github.com')
    .describe('GitHub Enterprise Server has another'),
});

/** What an environment does about its error budgets. */
export const errorBudget = z.strictObject({
  every: duration.prefault('5m').describe('How often it is measured; `windlass schedules apply` makes the Schedule'),
  staleAfter: duration.prefault('30m').describe('Without a measurement for so long people are told'),
  notify: z.array(name).default([]).describe('Channels that are told of every change of the zone'),
  stakeholders: z.array(name).default([]).describe('Channels that are told besides when red begins and ends'),
  critical: z
    .strictObject({
      services: z.array(name).default([]).describe('Whose releases are always critical'),
      onRequest: z
        .boolean()
        .default(true)
        .describe('Whether a release may say of itself, with a reason, that it is critical'),
    })
    .prefault({})
    .describe('Critical releases pass in yellow'),
  deployWorkflow: deployWorkflow.optional(),
  recovery: z
    .strictObject({
      plan: z.string().min(1).max(2000).describe('What is done when the budget is used up; told and kept as evidence'),
      runbook: name.optional().describe('Runbook that people may start'),
    })
    .optional(),
  slos: z.record(name, slo).refine((slos) => Object.keys(slos).length > 0, 'expected at least one'),
});

export type CatalogErrorBudget = z.output<typeof errorBudget>;
export type CatalogSlo = CatalogErrorBudget['slos'][string];
export type DeployWorkflow = z.output<typeof deployWorkflow>;
