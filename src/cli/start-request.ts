/** Plans have ids of their own: they may be made while the procedure itself runs, and by two people at once. */
export function idOf(workflowId: string, planOnly: boolean): string {
  return planOnly ? `plan/${workflowId}-${crypto.randomUUID().slice(0, 8)}` : workflowId;
}

/** What the Temporal UI shows of a procedure, as Markdown. */
export function details(description: string, fields: Record<string, string | undefined>): string {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`- **${name}**: ${value}`],
  );
  return [description, '', ...lines].join('\n');
}

/** The object without what was not given: contracts refuse unknown fields, and `undefined` is not a value. */
export function given<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter((entry) => entry[1] !== undefined)) as never;
}
