import { z } from 'zod';
import { imageReference } from '../../contracts/scalars.ts';
import { containerOf, containerReference, defineWorkloadAction } from './workload.ts';

/** Convergent. A release with gates, soak and rollback is `deployRelease`; this is for what has no such thing. */
export const setImage = defineWorkloadAction({
  name: 'setImage',
  description: 'Sets the image of a container of a workload, whose pods are then replaced',
  parameters: z.strictObject({ ...containerReference, image: imageReference.describe('With a tag or a digest') }),
  example: { name: 'shop', container: 'app', image: 'docker.io/windlass/sample:v2' },

  decide(workload, parameters) {
    const { container, path } = containerOf(workload, parameters);
    const { kind, name, image } = parameters;
    if (container.image === image) return undefined;
    return {
      lines: [`${kind} ${name}, container ${container.name}: image ${container.image} → ${image}`],
      operations: [{ op: 'replace', path: path('image'), value: image }],
      undo: { action: 'setImage', with: { kind, name, container: container.name, image: container.image } },
    };
  },
});
