import type { Action } from '../action.ts';
import { findObject } from './find-object.ts';
import { keepText } from './keep-text.ts';
import { reportChecks } from './report-checks.ts';

export const OBJECTS_ACTIONS = [keepText, reportChecks, findObject] as Action[];
