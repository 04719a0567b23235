import type { Action } from '../action.ts';
import { assertMetric } from './assert-metric.ts';
import { queryMetric } from './query-metric.ts';

export const METRICS_ACTIONS = [queryMetric, assertMetric] as Action[];
