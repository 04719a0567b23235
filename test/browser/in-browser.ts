import type { TemporalUi } from './temporal-ui.ts';

/**
 * Makes a file's `test` for steps in the Temporal UI, each of which goes on where the one before ended. One that fails
 * leaves a picture of the page and names it; those after it say so at once.
 */
export function stepsIn(ui: () => TemporalUi): (name: string, run: () => Promise<void>) => void {
  let broken = '';
  return (name, run) =>
    test(
      name,
      async () => {
        if (broken) throw new Error(`not tried, because this failed: ${broken}`);
        try {
          await run();
        } catch (error) {
          broken = name;
          const file = await ui().keepScreenshot(`browser-${name.replaceAll(/\W+/g, '-').slice(0, 60)}`);
          throw new Error(`${(error as Error).message}\nWhat the browser showed: ${file}`, { cause: error });
        }
      },
      120_000,
    );
}
