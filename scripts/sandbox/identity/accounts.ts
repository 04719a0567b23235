import type { Account } from './provider.ts';

/** The people of systems/sandbox.yaml, and one whom it does not know. */
const NAMES = ['ana', 'bea', 'sam', 'kim', 'lee', 'vic', 'cat', 'eve'];

/** lee is in a group that grants a role. */
const GROUPS: Record<string, string[]> = { lee: ['platform-leads'], eve: ['platform-leads'] };

export const accounts: Account[] = NAMES.map((name) => ({
  name,
  email: `${name}@sandbox.example`,
  groups: GROUPS[name] ?? [],
}));
