/**
 * Search attributes of procedures: by them people find what runs and what waits, also while no worker runs. Temporal
 * must know them before a workflow sets one: `npm run search-attributes`.
 */
export const SEARCH_ATTRIBUTES = {
  OpsSystem: 'Keyword',
  OpsEnvironment: 'Keyword',
  OpsProcedure: 'Keyword',
  OpsPhase: 'Keyword',
  OpsSeverity: 'Keyword',
  OpsAwaiting: 'KeywordList',
} as const;
