import { randomBytes } from 'node:crypto';
import type { Place } from '../incident-stage.ts';

/** The platform's own people and runbooks; its messages go to the sandbox's receivers, and it has no database there. */
export const aiAgentsOnSandbox = ({ environment, receivers }: Place) => ({
  databases: null,
  channels: {
    pagerduty: { url: `${receivers}/pagerduty/${environment}` },
    status: { url: `${receivers}/statuspage`, page: environment },
  },
});

/** What the references of its file resolve to. */
export const aiAgentsSecrets = ({ environment, receivers, smtp }: Place): Record<string, string> => ({
  AI_AGENTS_SLACK_INCIDENT: `${receivers}/slack/${environment}-incident`,
  AI_AGENTS_SLACK_DEVOPS: `${receivers}/slack/${environment}-devops`,
  AI_AGENTS_PAGERDUTY_KEY: randomBytes(16).toString('hex'),
  AI_AGENTS_STATUSPAGE_TOKEN: randomBytes(20).toString('base64url'),
  AI_AGENTS_SMTP: smtp,
});
