import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ACTIONS } from '../../src/actions/index.ts';
import { actionsText } from '../../src/catalog/actions-text.ts';

const actions = [...ACTIONS.values()];
/** What a person is told to do; a new verb is added here on purpose. */
const IMPERATIVES =
  /^(assert|await|check|cordon|create|delete|describe|drain|drop|end|explain|find|hide|keep|list|measure|patch|ping|probe|query|read|report|restart|restore|run|scale|set|show|tell|uncordon|undo|vacuum)([A-Z]|$)/;

test('there are at least 30, and each name is one imperative of its own', () => {
  expect(actions.length).toBeGreaterThanOrEqual(30);
  expect(actions.map(({ name }) => name).filter((name) => !IMPERATIVES.test(name))).toEqual([]);
});

describe.each(actions.map((action) => [action.name, action] as const))('%s', (name, action) => {
  test('its example is one of its calls', () => {
    expect(action.parameters.safeParse(action.example).error).toBeUndefined();
  });

  test('a parameter that it does not have is refused', () => {
    expect(action.parameters.safeParse({ ...(action.example as object), printer: 1 }).success).toBe(false);
  });

  test('it has a plan exactly when it changes something', () => {
    expect(action.plan !== undefined).toBe(action.changes !== 'nothing');
  });

  test('each of its parameters says what it is', () => {
    const { properties = {} } = z.toJSONSchema(action.parameters, { io: 'input', unrepresentable: 'any' });
    const silent = Object.entries(properties).filter(([, schema]) => !(schema as { description?: string }).description);
    expect(silent.map(([parameter]) => `${name}.${parameter}`)).toEqual([]);
  });

  test('its output is an object whose fields expressions can name', () => {
    const { type, properties } = z.toJSONSchema(action.output, { io: 'output', unrepresentable: 'any' });
    expect([type, Object.keys(properties ?? {}).length > 0]).toEqual(['object', true]);
  });
});

test('docs/actions.md is what npm run schema writes', () => {
  expect(readFileSync(join(import.meta.dirname, '../../docs/actions.md'), 'utf8')).toBe(actionsText());
});
