/** A recorded path. */
import type { Shop } from '../../shop.js';

export interface Path {
  readonly name: string;
  /** Walks the path to its end. Returns the id of the workflow. */
  readonly walk: (shop: Shop, outside: Outside) => Promise<string>;
}

/** Actions from outside the API. */
export interface Outside {
  readonly signal: (workflowId: string, name: string, payload?: unknown) => Promise<void>;
  readonly cancel: (workflowId: string) => Promise<void>;
  /** Starts a workflow that no client starts. */
  readonly start: (workflowType: string, workflowId: string) => Promise<void>;
  readonly databaseUrl: string;
  readonly sandboxUrl: string;
}
