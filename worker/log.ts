import { pino, type Logger } from 'pino';

/** JSON lines on standard output; the SDK logs errors under `error`, we under `err`. */
export function createLog(level = 'info'): Logger {
  const { err } = pino.stdSerializers;
  const known = Object.hasOwn(pino.levels.values, level) ? level : 'info';
  return pino({ level: known, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: err, err } });
}
