import { runChecks } from './checks.ts';
import { runJest } from './jest.ts';
import { CHECK, filesOf, limitOf, type Part } from './parts.ts';
import { count, type Outcome } from './report.ts';
import { sandboxDown, sandboxIsUp, sandboxUp } from './sandbox.ts';
import { ROOT } from './tools.ts';

/**
 * Runs parts, with the sandbox up exactly while it is needed: first what needs none, last what forbids one. A sandbox that
 * was up before is used and stays; one that we brought up goes down again, also after a failure or an interruption.
 * @param signal ends what runs and skips the rest, but not the taking down
 */
export async function runParts(withCheck: boolean, parts: Part[], signal: AbortSignal): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  if (withCheck) outcomes.push(await runCheck(signal));

  const groups = groupsOf(parts);
  const of = (sandbox: Part['sandbox']) => groups.filter(([first]) => first!.sandbox === sandbox);
  outcomes.push(...(await runEach(of(undefined), signal)));
  const [needing, forbidding] = [of('needs'), of('forbids')];
  if (signal.aborted || needing.length + forbidding.length === 0) return outcomes;

  const wasUp = await sandboxIsUp();
  if (needing.length > 0) outcomes.push(...(await runInSandbox(needing, wasUp, signal)));
  const skipped = wasUp ? parts.filter((part) => part.sandbox === 'forbids') : [];
  const able = forbidding.map((group) => group.filter((part) => !skipped.includes(part)));
  outcomes.push(...skipped.map(skippedBesideSandbox), ...(await runEach(able, signal)));
  return outcomes;
}

async function runInSandbox(groups: Part[][], wasUp: boolean, signal: AbortSignal): Promise<Outcome[]> {
  if (wasUp) return runEach(groups, signal);
  const outcomes: Outcome[] = [];
  try {
    announce('sandbox up');
    const up = await sandboxUp(signal);
    outcomes.push(up, ...(up.failed > 0 ? groups.flat().map(notRun) : await runEach(groups, signal)));
  } finally {
    announce('sandbox down');
    outcomes.push(await sandboxDown());
  }
  return outcomes;
}

async function runEach(groups: Part[][], signal: AbortSignal): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const together of groups) {
    if (signal.aborted) break;
    outcomes.push(...(await Promise.all(together.map((part) => runPart(part, signal)))));
  }
  return outcomes;
}

/** Parts that run at the same time, in order. */
function groupsOf(parts: Part[]): Part[][] {
  const groups: Part[][] = [];
  for (const part of parts) {
    if (part.beside && groups.length > 0) groups.at(-1)!.push(part);
    else groups.push([part]);
  }
  return groups;
}

async function runPart(part: Part, signal: AbortSignal): Promise<Outcome> {
  announce(part.name);
  const { name, budgetSeconds, inBand = false, waits = false } = part;
  const files = filesOf(part, ROOT);
  const { report, ended } = await runJest({ name, files, inBand, waits, signal, limitSeconds: limitOf(part) });
  const counts = count(report, ended.ending);
  const leak = ended.leftovers ? { note: 'left processes running; they were ended' } : {};
  return { name, budgetSeconds, seconds: ended.seconds, ...leak, ...counts };
}

async function runCheck(signal: AbortSignal): Promise<Outcome> {
  announce(CHECK.name);
  const started = performance.now();
  const counts = await runChecks(signal);
  return { ...CHECK, ...counts, skipped: 0, seconds: (performance.now() - started) / 1000 };
}

function notRun({ name, budgetSeconds }: Part): Outcome {
  return { name, budgetSeconds, passed: 0, failed: 1, skipped: 0, seconds: 0, note: 'not run: the sandbox is not up' };
}

function skippedBesideSandbox(part: Part): Outcome {
  const { name, budgetSeconds } = part;
  const note = 'skipped: a sandbox was up before, and these tests start their own';
  return { name, budgetSeconds, passed: 0, failed: 0, skipped: filesOf(part, ROOT).length, seconds: 0, note };
}

function announce(name: string): void {
  process.stdout.write(`\n== ${name} ${'='.repeat(Math.max(0, 60 - name.length))}\n`);
}
