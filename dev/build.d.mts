export interface Build {
  /** Absolute path of `dist/<hash>`. */
  readonly buildRoot: string;
  readonly hash: string;
  /** Whether it was made just now. */
  readonly built: boolean;
}
export function ensureBuild(options?: { quiet?: boolean; mark?: boolean }): Promise<Build>;
