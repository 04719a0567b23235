import { helpText, SCRIPTS, scriptsOfPackage } from '../../scripts/help.ts';

test('every npm script has a line in the help, and the help has no line too many', () => {
  expect(Object.keys(SCRIPTS).sort()).toEqual(scriptsOfPackage().sort());
});

test('the help shows how a script is called, with its line beside it', () => {
  expect(helpText(['help', 'test'])).toBe(
    [`npm run help  ${SCRIPTS['help']}`, `npm test      ${SCRIPTS['test']}`].join('\n'),
  );
});
