import { ACTIONS } from '../../actions/index.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { describeAction, renderAction, renderActions } from '../render/actions.ts';

const byName = () => [...ACTIONS.values()].sort((one, other) => one.name.localeCompare(other.name));

/** `actions list`: nothing is asked of a server. */
export async function listActions({ out }: Context): Promise<ExitCode> {
  const actions = byName();
  out.result(
    actions.map(({ name, group, changes, description }) => ({ name, group, changes, description })),
    () => renderActions(actions, out.paint),
  );
  return EXIT.ok;
}

/** `actions show NAME`. @throws CliError `not-found` */
export async function showAction({ out }: Context, name: string): Promise<ExitCode> {
  const action = ACTIONS.get(name);
  if (!action) {
    const { suggest } = await import('../../catalog/suggest.ts');
    const hint = suggest(name, [...ACTIONS.keys()]).replace(/^; /, '');
    throw new CliError('not-found', `There is no action ${name}.`, hint || 'All of them: windlass actions list');
  }
  const described = describeAction(action);
  out.result(described, () => renderAction(described, out.paint));
  return EXIT.ok;
}
