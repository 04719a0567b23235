import type { Proof } from './proof.ts';

/** The proofs as people read them: per system, what is proved, what lacks which test, what has no tests yet. */
export function proofText(proofs: Proof[]): string {
  const systems = [...new Set(proofs.map((proof) => proof.system))];
  const blocks = systems.map((system) => {
    const ofSystem = proofs.filter((proof) => proof.system === system);
    return [`${system}: ${ratio(ofSystem)} proved`, ...ofSystem.flatMap(linesOf)].join('\n');
  });
  return `${blocks.join('\n\n')}\n\nall systems: ${ratio(proofs)} proved`;
}

function linesOf({ id, title, proved, tests, emulated }: Proof): string[] {
  const mark = proved ? 'proved' : tests.length > 0 ? 'OPEN' : '-';
  const beside = emulated.length > 0 ? ` (emulated: ${emulated.join(', ')})` : '';
  const open = proved ? [] : tests.filter(({ status }) => status !== 'passed');
  return [
    `  ${mark.padEnd(6)}  ${id}  ${title}${beside}`,
    ...open.map(({ number, status, shows }) => `            ${number} ${status}: ${shows}`),
  ];
}

function ratio(proofs: Proof[]): string {
  return `${proofs.filter((proof) => proof.proved).length} of ${proofs.length}`;
}
