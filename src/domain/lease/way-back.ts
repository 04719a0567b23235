/** What people do first about a dirty lease, as the beginning of a sentence that goes on with how it is repaired by hand. */
export function wayBack(at: { system: string; environment: string }, scope: string, quote = ''): string {
  if (scope.startsWith('database/'))
    return 'Look which databases the server has and whether what uses this one runs; then';
  return `Bring it back: ${quote}windlass rollback ${at.system} ${at.environment} ${scope}${quote}; or check it by hand and`;
}
