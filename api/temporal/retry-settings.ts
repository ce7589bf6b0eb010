/** The retry settings of a saga. They are fixed when it starts, so that a replay sees the same values. */
import type { Settings } from '../../domain/settings.js';
import type { RetrySettings } from '../../workflows/shared/contract.js';

export function retrySettings({ retryBaseScale, gatewayTimeoutSeconds }: Settings): RetrySettings {
  return { retryBaseScale, gatewayTimeoutSeconds };
}
