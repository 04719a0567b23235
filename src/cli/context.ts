import type { ConnectionFlags } from './configuration.ts';
import { whoAmI } from './configuration.ts';
import { createOutput, type Io, type Output } from './io.ts';
import type { Session } from './server/session.ts';

/** Flags of every command. */
export interface CommonFlags extends ConnectionFlags {
  json?: boolean;
  color?: boolean;
  as?: string;
}

/** What a command works with. */
export interface Context {
  io: Io;
  out: Output;
  flags: CommonFlags;
  /** Name of the person who runs it. */
  me: string;
  /** Connects, works, and disconnects whatever happens. */
  withSession: <T>(work: (session: Session) => Promise<T>) => Promise<T>;
}

export function createContext(io: Io, flags: CommonFlags): Context {
  const out = createOutput(io, { json: flags.json ?? false, color: flags.color ?? true });
  return {
    io,
    out,
    flags,
    me: whoAmI(flags.as, io.env),
    async withSession(work) {
      const { openSession } = await import('./server/session.ts');
      const session = await openSession(flags, io.env, out.note);
      try {
        return await work(session);
      } catch (error) {
        const { explain } = await import('./errors.ts');
        throw explain(error, session.server);
      } finally {
        await session.close();
      }
    },
  };
}
