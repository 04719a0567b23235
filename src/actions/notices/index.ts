import type { Action } from '../action.ts';
import { tell } from './tell.ts';

export const NOTICES_ACTIONS = [tell] as Action[];
