import type { Context, Hono } from 'hono';

/** The application with what it knows of a request: the address that it counts for. */
export type App = Hono<{ Variables: { address: string } }>;

/** Browsers say that they take HTML; programs say JSON, anything, or nothing. */
export const wantsPage = (context: Context): boolean => /\btext\/html\b/.test(context.req.header('accept') ?? '');
