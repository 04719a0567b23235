/**
 * Percent of the error budget that is left: 100 when nothing was bad, 0 when as much was bad as the objective allows,
 * less when more. The budget is what the objective leaves (The Site Reliability Workbook, chapter 2).
 * @param errorRatio part that was bad within the window, 0 to 1
 * @param objective percent that shall be good
 */
export const remainingPercent = (errorRatio: number, objective: number): number =>
  hundredths(100 * (1 - errorRatio / allowed(objective)));

/** How many times faster than just in budget it is used up (The Site Reliability Workbook, chapter 5). */
export const burnRate = (errorRatio: number, objective: number): number => hundredths(errorRatio / allowed(objective));

const allowed = (objective: number): number => 1 - objective / 100;

/** No rounding up to a limit that was not reached. */
const hundredths = (value: number): number => Math.floor(value * 100 + 1e-6) / 100;
