import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ReceivedRequest {
  /** ISO 8601. */
  time: string;
  method: string;
  path: string;
  /** Lower case; credentials left out. */
  headers: Record<string, string>;
  /** Parsed when it is JSON, else the text. */
  body: unknown;
  /** What the sender was told, or would have been told if its answer had not been lost. */
  status: number;
  /** `lost`: accepted, and the connection destroyed instead of an answer. */
  outcome: 'accepted' | 'refused' | 'lost';
}

/**
 * What arrived, one JSON line each, on disk before the sender is answered: what a sender was told survives a crash of this
 * process. An existing file is continued.
 */
export class RequestLog {
  private readonly file: number;
  private requests: ReceivedRequest[];

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    // What follows the last newline was cut by a crash, and its sender not answered.
    const whole = lines.slice(0, -1);
    this.requests = whole.map((line) => JSON.parse(line) as ReceivedRequest);
    this.file = openSync(path, 'a+');
    ftruncateSync(this.file, Buffer.byteLength(whole.map((line) => `${line}\n`).join('')));
  }

  append(request: ReceivedRequest): void {
    writeSync(this.file, `${JSON.stringify(request)}\n`);
    fsyncSync(this.file);
    this.requests.push(request);
  }

  /** In the order of arrival; of one path, or of all. */
  list(path?: string): ReceivedRequest[] {
    return path === undefined ? this.requests : this.requests.filter((request) => request.path === path);
  }

  forget(): void {
    ftruncateSync(this.file, 0);
    fsyncSync(this.file);
    this.requests = [];
  }

  close(): void {
    closeSync(this.file);
  }
}
