import type { Action } from '../action.ts';
import { findObject } from './find-object.ts';
import { keepText } from './keep-text.ts';

export const OBJECTS_ACTIONS = [keepText, findObject] as Action[];
