import { z } from 'zod';
import type { Contract } from './contract.ts';
import { person, serviceReference } from './scalars.ts';

const input = z.strictObject({
  ...serviceReference,
  deployment: z.string().max(253).describe('Name of the Deployment to retire'),
  uid: z.string().max(64).describe('UID of that Deployment: another one of the same name is left alone'),
  retireAt: z.iso.datetime().describe('Not before this time'),
  requestedBy: person,
});

export type RetireColorInput = z.output<typeof input>;

export interface RetireColorResult {
  outcome: 'retired' | 'kept' | 'in-service' | 'gone';
  message: string;
}

export const retireColor: Contract<typeof input> = {
  procedure: 'retireColor',
  description: 'Deletes the color that stopped serving, a day after the switch, unless it serves again or is kept.',
  input,
  example: {
    system: 'sandbox',
    environment: 'local',
    service: 'shop',
    deployment: 'shop-blue',
    uid: '00000000-0000-4000-8000-000000000000',
    retireAt: '2030-01-01T00:00:00Z',
    requestedBy: 'ana',
  },
  workflowId: (retirement) =>
    `retire/${retirement.system}/${retirement.environment}/${retirement.deployment}-${retirement.uid.slice(0, 8)}`,
};
