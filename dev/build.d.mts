export interface Build {
  /** Absolute path of `dist/<hash>`. */
  readonly buildRoot: string;
  readonly hash: string;
  /** Whether this call built it. */
  readonly built: boolean;
}
export function ensureBuild(options?: { quiet?: boolean; mark?: boolean }): Promise<Build>;
