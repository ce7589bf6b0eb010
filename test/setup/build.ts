/** One build for the whole test run, so that all its processes have the same code even if the sources change. */
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ensureBuild } from '../../dev/build.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The prebuilt workflow bundle of the sources under test. */
    readonly bundlePath: string;
  }
}

export default async function setUp(project: TestProject): Promise<void> {
  const { buildRoot } = await ensureBuild();
  process.env.HOLDFAST_BUILD = buildRoot;
  project.provide('bundlePath', join(buildRoot, 'workflow-bundle.js'));
}
