import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stateFolder } from './configuration.ts';

/** What `windlass login` keeps. */
export interface KeptLogin {
  issuer: string;
  subject: string;
  email?: string;
  groups: string[];
  /** ISO 8601. */
  expiresAt: string;
  token: string;
}

const fileOf = (env: NodeJS.ProcessEnv): string => join(stateFolder(env), 'login.json');

/** Keeps a login where only its user can read it. @returns the file */
export function keepLogin(env: NodeJS.ProcessEnv, login: KeptLogin): string {
  const file = fileOf(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // A new file and a rename: the mode of one that is there already would stay.
  rmSync(`${file}.new`, { force: true });
  writeFileSync(`${file}.new`, JSON.stringify(login), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}

/** The login that is kept, if it holds at this time (milliseconds since the epoch). */
export function readLogin(env: NodeJS.ProcessEnv, at: number): KeptLogin | undefined {
  try {
    const login = JSON.parse(readFileSync(fileOf(env), 'utf8')) as KeptLogin;
    return Date.parse(login.expiresAt) > at ? login : undefined;
  } catch {
    return undefined;
  }
}

export const forgetLogin = (env: NodeJS.ProcessEnv): void => rmSync(fileOf(env), { force: true });
