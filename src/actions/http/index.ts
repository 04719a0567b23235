import type { Action } from '../action.ts';
import { checkCertificate } from './check-certificate.ts';
import { checkHealthContract } from './check-health-contract.ts';
import { probeUrl } from './probe-url.ts';

export const HTTP_ACTIONS = [probeUrl, checkHealthContract, checkCertificate] as Action[];
