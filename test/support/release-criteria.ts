/** Of the release runbook, section "Go/No-Go Decision Criteria": seven that must all be so, and five of which none may be. */
export const RELEASE_CRITERIA = {
  go: {
    tests: 'All tests passing (component, integration, security)',
    health: 'Health checks returning 200 OK',
    sla: 'SLA metrics within targets',
    scans: 'Security scans passed',
    rollback: 'Rollback procedure verified',
    team: 'Team ready and on-call',
    window: 'Maintenance window confirmed',
  },
  noGo: {
    'test-failures': 'Critical test failures',
    vulnerabilities: 'Security vulnerabilities found',
    infrastructure: 'Infrastructure issues',
    'team-away': 'Team unavailable',
    dependencies: 'External dependencies down',
  },
};
