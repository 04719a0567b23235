/** PostgreSQL cuts a name at 63 bytes; what is added to one takes 17 at most. */
const LONGEST = 63;
const fit = (name: string, suffix: string): string => `${name.slice(0, LONGEST - suffix.length)}${suffix}`;

/** Databases that a run makes, by the eight digits of its run (run-mark.ts): no two runs share one. */
export const scratchName = (name: string, mark: string): string => fit(name, `_verify_${mark}`);
export const restoredName = (name: string, mark: string): string => fit(name, `_restore_${mark}`);
export const damagedName = (name: string, mark: string): string => fit(name, `_damaged_${mark}`);
