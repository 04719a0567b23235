import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { queryPrometheus } from '../../src/adapters/prometheus.ts';

// Answers as Prometheus gives them; the adapter itself is also asked against a real one in test/activities.
let server: Server;
let url: string;
let answer: { status: number; body: unknown };
let asked: URLSearchParams;

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      asked = new URLSearchParams(text);
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.close());

const replies = (result: unknown, resultType = 'vector') => {
  answer = { status: 200, body: { status: 'success', data: { resultType, result } } };
};
const sample = (value: string) => ({ metric: {}, value: [1, value] });

test.each([
  ['one series', [sample('0.5')], 0.5],
  ['no series', [], undefined],
  ['NaN', [sample('NaN')], undefined],
  ['infinity', [sample('+Inf')], Infinity],
])('%s gives its value', async (_case, result, value) => {
  replies(result);
  expect(await queryPrometheus(url, 'up')).toBe(value);
});

test('a scalar is a value too', async () => {
  replies([1, '42'], 'scalar');
  expect(await queryPrometheus(url, '42')).toBe(42);
});

test('the query and the time are sent as they are', async () => {
  replies([]);
  await queryPrometheus(url, 'a{b="c & d"}', 1_500);
  expect(Object.fromEntries(asked)).toEqual({ query: 'a{b="c & d"}', time: '1.5' });
});

test.each([
  [
    'several series',
    { status: 200, body: { status: 'success', data: { resultType: 'vector', result: [sample('1'), sample('2')] } } },
    'InvalidInput',
    'gives 2 series, expected one value',
  ],
  [
    'a range',
    { status: 200, body: { status: 'success', data: { resultType: 'matrix', result: [] } } },
    'InvalidInput',
    'gives a matrix',
  ],
  [
    'a query that does not parse',
    { status: 400, body: { status: 'error', error: 'parse error' } },
    'InvalidInput',
    'parse error',
  ],
  [
    'a query that took too long',
    { status: 503, body: { status: 'error', error: 'query timed out' } },
    'Unavailable',
    'query timed out',
  ],
  ['a page of a proxy', { status: 502, body: '<html>bad gateway' }, 'Unavailable', 'HTTP 502'],
  ['a refusal', { status: 401, body: '' }, 'Forbidden', 'HTTP 401'],
])('%s is an error that says what to do', async (_case, given, type, message) => {
  answer = given;
  await expect(queryPrometheus(url, 'up')).rejects.toMatchObject({ type, message: expect.stringContaining(message) });
});

test('a Prometheus that is not there is Unavailable', async () => {
  await expect(queryPrometheus('http://127.0.0.1:1', 'up')).rejects.toMatchObject({ type: 'Unavailable' });
});
