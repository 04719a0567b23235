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
  AI_AGENTS_PAGERDUTY_KEY: '0123456789abcdef0123456789abcdef',
  AI_AGENTS_STATUSPAGE_TOKEN: 'a-token',
  AI_AGENTS_SMTP: smtp,
});
