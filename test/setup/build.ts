/** One build for the whole test run: every process of it is of the same sources, whatever happens to them meanwhile. */
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
