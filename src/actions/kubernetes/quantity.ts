import { z } from 'zod';

/** As Kubernetes writes it: `250m` of a CPU, `256Mi` of memory. */
export const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(m|[kMGTPE]i?|Ki)?$/, 'expected a quantity such as 250m, 0.5 or 256Mi');
