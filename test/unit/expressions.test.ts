import { checkExpression, evaluate, evaluateCondition, referencesTo } from '../../src/expressions/expression.ts';
import { checkTemplate, fill, isTemplate, partsOf, templateReferences } from '../../src/expressions/template.ts';
import type { ExpressionScope } from '../../src/contracts/expression-type.ts';

const SCOPE: ExpressionScope = {
  parameters: { fields: { replicas: 'int', tag: 'string', ratio: 'double', force: 'bool' } },
  alert: { fields: { labels: { map: 'string' }, annotations: { map: 'string' } } },
  steps: {
    fields: {
      look: { fields: { output: { fields: { share: 'double', count: 'int', pods: { list: 'dyn' } } } } },
      ask: { fields: { output: 'dyn' } },
    },
  },
};
const VALUES = {
  parameters: { replicas: 3, tag: 'v2', ratio: 2, force: true },
  alert: { labels: { severity: 'critical' }, annotations: {} },
  steps: {
    look: {
      output: {
        share: 1,
        count: 4,
        pods: [
          { name: 'a', restarts: 5 },
          { name: 'b', restarts: 0 },
        ],
      },
    },
    ask: { output: { whole: 7, part: 0.5, text: 'x', none: null, list: [1, 2] } },
  },
};

describe('an expression', () => {
  test.each<[string, string, unknown]>([
    ['parameters.replicas + 1', 'int', 4],
    ['parameters.ratio / 4.0', 'double', 0.5],
    ['parameters.replicas > 2.5', 'bool', true],
    ['steps.look.output.share / 2.0', 'double', 0.5],
    ['steps.look.output.pods.exists(p, p.restarts > 3)', 'bool', true],
    ['steps.look.output.pods.filter(p, p.restarts == 0).map(p, p.name)', 'list', ['b']],
    ['steps.ask.output.whole', 'dyn', 7],
    ['steps.ask.output.part + 1.0', 'double', 1.5],
    ['double(steps.ask.output.whole) + 0.5', 'double', 7.5],
    ['steps.ask.output.none == null', 'bool', true],
    ['has(alert.labels.team) ? alert.labels.team : "nobody"', 'string', 'nobody'],
    ['"severity" in alert.labels && alert.labels.severity.startsWith("crit")', 'bool', true],
    ['{"a": parameters.replicas}', 'map<string, int>', { a: 3 }],
    ['"a,b".split(",").join("-").upperAscii()', 'string', 'A-B'],
  ])('%s is of type %s', (source, type, value) => {
    expect(checkExpression(source, SCOPE)).toBe(type);
    expect(evaluate(source, SCOPE, VALUES)).toEqual(value);
  });

  test.each([
    ['parameters.replicas +', /Unexpected token/],
    ['parameters.replica', /No such key: replica/],
    ['nobody', /Unknown variable: nobody/],
    ['parameters.replicas == "three"', /no such overload: int == string/],
    ['steps.look.output.share.contains("a")', /overload/],
    ['parameters.tag.matches("(a+)+$")', /"matches" may not be used: regular expressions backtrack/],
    ['now() > 1', /"now" may not be used: .*same answer whenever/],
    ['timestamp("2026-01-01T00:00:00Z") == timestamp("2026-01-01T00:00:00Z")', /"timestamp" may not be used/],
    ['b"abc".json()', /"json" may not be used: expected one of has, size/],
    ['cel.bind(a, "x", a + a)', /"bind" may not be used/],
    [`"${'x'.repeat(1000)}"`, /expected at most 1000 characters, got 1002/],
    [`${'('.repeat(40)}1${')'.repeat(40)}`, /[Dd]epth|nest/],
    [Array.from({ length: 150 }, () => '1').join('+'), /too large: expected at most 200/],
    ['steps.look.output.pods.exists(p, steps.look.output.pods.exists(q, p == q))', /a list inside a list is too much/],
    [`${'["x"]'}${'.map(a,a+a)'.repeat(22)}`, /costs .* steps|[Dd]epth/],
  ])('%s is refused', (source, why) => {
    expect(() => checkExpression(source, SCOPE)).toThrow(why);
  });

  test('is refused at evaluation when a value is not there', () => {
    expect(() => evaluate('alert.labels.team', SCOPE, VALUES)).toThrow('No such key: team');
  });

  test('is refused at evaluation when a value is not of its declared type', () => {
    const wrong = { ...VALUES, parameters: { ...VALUES.parameters, replicas: 2.5 } };
    expect(() => evaluate('parameters.replicas', SCOPE, wrong)).toThrow(
      'expected a whole number as parameters.replicas, got 2.5',
    );
  });

  test('needs only the values that it names', () => {
    expect(evaluate('parameters.tag', SCOPE, { parameters: { tag: 'v1' } })).toBe('v1');
  });

  test('counts as a condition only when it is true or false', () => {
    expect(evaluateCondition('parameters.force', SCOPE, VALUES)).toBe(true);
    expect(() => evaluateCondition('steps.ask.output.text', SCOPE, VALUES)).toThrow('expected true or false, got "x"');
  });

  test('tells which steps it refers to', () => {
    expect(referencesTo('steps', 'steps.look.output.count > 1 && has(steps["ask"].output)')).toEqual(['look', 'ask']);
  });
});

describe('a template', () => {
  test.each<[string, unknown]>([
    ['as it is', 'as it is'],
    ['', ''],
    ['${parameters.replicas}', 3],
    ['${ steps.look.output.pods }', VALUES.steps.look.output.pods],
    ['${parameters.replicas} replicas of ${parameters.tag}', '3 replicas of v2'],
    ['${parameters.replicas} ', '3 '],
    ['${{"a": "}"}["a"]}', '}'],
    ['$${version} of ${parameters.tag}', '${version} of v2'],
    ['costs $5', 'costs $5'],
  ])('%s is filled in', (text, filled) => {
    expect(fill(text, SCOPE, VALUES)).toEqual(filled);
  });

  test('is filled in wherever a value holds one', () => {
    const value = {
      name: '${parameters.tag}',
      list: ['${parameters.force}', 2],
      deep: { text: 'a ${parameters.tag}' },
    };
    expect(fill(value, SCOPE, VALUES)).toEqual({ name: 'v2', list: [true, 2], deep: { text: 'a v2' } });
  });

  test('that is not closed is refused', () => {
    expect(() => partsOf('${parameters.tag')).toThrow('expected a } after ${parameters.tag');
  });

  test('holds no list within a text', () => {
    expect(() => checkTemplate('pods ${steps.look.output.pods}', SCOPE)).toThrow('got list');
    expect(() => checkTemplate('${steps.look.output.pods}', SCOPE)).not.toThrow();
  });

  test('is told from a plain text', () => {
    expect([isTemplate('a'), isTemplate('$${a}'), isTemplate('${a}'), isTemplate(3)]).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });

  test('tells which steps it refers to', () => {
    expect(templateReferences('steps', { a: ['x ${steps.look.output.count}'], b: '${steps.ask.output}' })).toEqual([
      'look',
      'ask',
    ]);
  });
});
