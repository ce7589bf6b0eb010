/** The settings that shape a saga; they are fixed when it starts. */
import type { Settings } from '../../domain/settings.js';
import type { RetrySettings } from '../../workflows/shared/contract.js';

export function retrySettingsOf({ retryBaseScale, gatewayTimeoutSeconds }: Settings): RetrySettings {
  return { retryBaseScale, gatewayTimeoutSeconds };
}
