import { fillQuery } from '../../src/domain/release/query.ts';

const values = { namespace: 'shop', service: 'shop', deployment: 'shop-green', hash: 'abc' };

test('values take the place of their names', () => {
  expect(fillQuery('up{namespace="$namespace",pod=~"$deployment-$hash-.+"}', values)).toBe(
    'up{namespace="shop",pod=~"shop-green-abc-.+"}',
  );
});

test('other dollar signs stay', () => {
  expect(fillQuery('up{path=~"/a$",b="$unknown"}', values)).toBe('up{path=~"/a$",b="$unknown"}');
});

test('a value cannot leave its string', () => {
  expect(fillQuery('up{namespace="$namespace"}', { namespace: 'a"} or up{b="' })).toBe(
    'up{namespace="a\\"} or up{b=\\""}',
  );
});
