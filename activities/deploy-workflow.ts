import { readWorkflowState, setWorkflow } from '../src/adapters/github.ts';
import type { DeployWorkflow } from '../src/contracts/error-budget.ts';
import type { Dependencies } from './dependencies.ts';

/** The workflow at GitHub that deploys, which a used-up error budget disables. */
export function createDeployWorkflowActivities({ secrets }: Pick<Dependencies, 'secrets'>) {
  return {
    /** Reads only. @throws NotFound, Forbidden, SecretMissing, Unavailable */
    async readDeployWorkflow({ workflow }: { workflow: DeployWorkflow }): Promise<{ state: string }> {
      return { state: await readWorkflowState(await withToken(workflow)) };
    },

    /** Effect: convergent. @throws NotFound, Forbidden, Refused, SecretMissing, Unavailable */
    async setDeployWorkflow({ workflow, to }: { workflow: DeployWorkflow; to: 'disable' | 'enable' }): Promise<void> {
      await setWorkflow(await withToken(workflow), to);
    },
  };

  async function withToken(workflow: DeployWorkflow) {
    return { ...workflow, token: await secrets.resolve(workflow.token) };
  }
}
