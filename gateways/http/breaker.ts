/**
 * One circuit breaker for each gateway. It opens after several calls in a row could not connect. Any answer, even an
 * error, keeps it closed, so that one faulty card does not stop the others. While it is open, calls wait instead of
 * failing, and one call at a time probes the connection.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import { GatewayFault } from './fault.js';

const faultsToOpen = 5;
const probeAfterMs = 500;
const recheckMs = 25;

export interface Breaker {
  /** Makes the call once the circuit allows it. Throws GatewayFault `unreachable` if `signal` aborts first. */
  run<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createBreaker(gateway: string): Breaker {
  const policy = circuitBreaker(
    handleWhen((error) => error instanceof GatewayFault && error.fault === 'unreachable'),
    { breaker: new ConsecutiveBreaker(faultsToOpen), halfOpenAfter: probeAfterMs },
  );
  return {
    async run(call, signal) {
      for (;;) {
        if (signal.aborted)
          throw new GatewayFault(gateway, 'unreachable', 'no connection could be made for some time; gave up waiting');
        // Half open: another call is the probe. Cockatiel would wait for it and ignore the signal.
        if (policy.state !== CircuitState.HalfOpen) {
          try {
            return await policy.execute(call);
          } catch (error) {
            if (!(error instanceof BrokenCircuitError)) throw error;
          }
        }
        await sleep(recheckMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
