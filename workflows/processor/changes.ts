/** The look for changes at the processors, run by a schedule: where no webhook came, or none exists. */
import { adopting } from '../shared/proxies.js';

export async function processorChanges(): Promise<void> {
  await adopting.lookForChanges();
}
