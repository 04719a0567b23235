import type { CatalogSeverity } from '../../contracts/incident-catalog.ts';

/** What is known of an incident: measured facts by name (absent when there is no value), labels of each alert. */
export interface Evidence {
  facts: Record<string, number>;
  labels: Record<string, string>[];
}

/** The severity an incident has by the rules, and which condition made it so. */
export interface Computed {
  severity: string;
  why: string;
}

/**
 * The worst severity of which any condition holds; the mildest when none does. A fact without a value makes nothing
 * worse: the alert that came is reason enough for the mildest.
 */
export function computeSeverity(severities: CatalogSeverity[], evidence: Evidence): Computed {
  for (const { name, when } of severities) {
    for (const condition of when) {
      const why = reasonOf(condition, evidence);
      if (why) return { severity: name, why };
    }
  }
  return { severity: severities.at(-1)!.name, why: 'no condition of a worse severity holds' };
}

function reasonOf(condition: CatalogSeverity['when'][number], { facts, labels }: Evidence): string | undefined {
  if ('label' in condition) {
    const { label, is } = condition;
    return labels.some((each) => Object.hasOwn(each, label) && each[label] === is)
      ? `an alert has ${label} "${is}"`
      : undefined;
  }
  const value = Object.hasOwn(facts, condition.fact) ? facts[condition.fact] : undefined;
  if (value === undefined) return undefined;
  if ('above' in condition)
    return value > condition.above ? `${condition.fact} is ${rounded(value)}, over ${condition.above}` : undefined;
  return value < condition.below ? `${condition.fact} is ${rounded(value)}, under ${condition.below}` : undefined;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
