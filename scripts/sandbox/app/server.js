// The sample application that the sandbox releases. Node built-ins only: its image has no packages.
//   APP_VERSION  its version (default v1)             APP_FAULTS  see faults.js
//   APP_COLOR, POD_NAME  told in every answer         PORT        default 8080     DRAIN_MS  default 2000
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { errorsUnderLoad, faultsOf, startProcessFaults } from './faults.js';
import { createMetrics } from './metrics.js';

const version = process.env.APP_VERSION || 'v1';
const color = process.env.APP_COLOR || null;
const pod = process.env.POD_NAME || hostname();
const drainMs = Number(process.env.DRAIN_MS || 2000);
const faults = faultsOf(version, process.env.APP_FAULTS);
const metrics = createMetrics(version);
const failsUnderLoad = errorsUnderLoad(faults.errorsUnderLoad);
let draining = false;

function health() {
  const checks = { database: 'healthy', redis: 'healthy', agents: 'healthy', external_apis: 'healthy' };
  if (faults.unhealthyCheck) checks[faults.unhealthyCheck] = 'unhealthy';
  const status = faults.unhealthyCheck ? 'unhealthy' : 'healthy';
  const answer = { status, timestamp: new Date().toISOString(), version, uptime: process.uptime(), checks };
  return Object.fromEntries(Object.entries({ ...answer, ...faults.health }).filter(([, value]) => value !== null));
}

/** Uptime and error rate in percent. Whether this version is healthy never changes while it runs, so neither does its uptime. */
const sla = () => ({ uptime: faults.unhealthyCheck ? 0 : 100, ...metrics.sla() });

/** Paths for operators and probes; none of them is traffic. Each answers [status, body]. */
const operational = {
  '/health': () => [faults.unhealthyCheck ? 503 : 200, health()],
  '/ready': () => (draining || faults.neverReady ? [503, { ready: false }] : [200, { ready: true }]),
  '/metrics': () => [200, metrics.text()],
  '/smoke': () => (faults.smoke ? [500, { smoke: 'failed', version }] : [200, { smoke: 'passed', version }]),
  '/sla': () => [200, sla()],
  '/metrics/sla': () => [200, sla()],
};

function answer(response, status, body) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': typeof body === 'string' ? 'text/plain; version=0.0.4' : 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-app-version': version,
    // Moves clients off their kept-alive connections while these still work; see drain().
    ...(draining ? { connection: 'close' } : {}),
  });
  response.end(text);
}

const server = createServer((request, response) => {
  request.resume();
  const path = request.url.split('?')[0];
  if (Object.hasOwn(operational, path)) return answer(response, ...operational[path]());

  const started = performance.now();
  const failing = failsUnderLoad(started);
  const serve = () => {
    const status = path !== '/' ? 404 : failing ? 500 : 200;
    answer(
      response,
      status,
      status === 200 ? { version, color, pod } : { error: status === 500 ? 'overloaded' : 'not found', version },
    );
    metrics.observe(status, (performance.now() - started) / 1000);
  };
  if (faults.latencyMs) setTimeout(serve, faults.latencyMs);
  else serve();
});
// Longer than clients keep idle connections: the side that closes an idle one first loses the request that crosses the close.
server.keepAliveTimeout = 65_000;

/**
 * Serves on for a while after SIGTERM, because two things take time: the endpoint leaves every node's rules, and clients
 * with kept-alive connections, which no rule moves, learn by `Connection: close` to open a new one elsewhere.
 */
function drain() {
  if (draining) return;
  draining = true;
  setTimeout(() => server.close(() => process.exit(0)), drainMs);
}
process.on('SIGTERM', drain);
process.on('SIGINT', drain);

server.listen(Number(process.env.PORT || 8080), () => {
  console.log(
    JSON.stringify({ level: 'info', msg: 'listening', port: server.address().port, version, color, pod, faults }),
  );
});
startProcessFaults(faults);
