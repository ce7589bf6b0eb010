/** Access to the stack that the whole test run shares. */
import { inject } from 'vitest';
import { Shop } from './shop.js';

/** A shop that uses one of the run's API processes. */
export function sharedShop(api = 0): Shop {
  const urls = inject('apiUrls');
  return new Shop({
    apiUrl: urls[api % urls.length] ?? '',
    apiKey: inject('apiKey'),
    sandboxUrl: inject('sandboxUrl'),
  });
}
