/**
 * One circuit breaker for each gateway. It opens when nobody can be reached there, several times in a row; an answer of
 * any kind, an error too, leaves it closed, so that one faulty card does not stop the others. While it is open a call
 * waits instead of failing, and one call at a time tries whether the way is free again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import { GatewayFault } from './fault.js';

const opensAfterFaults = 5;
const triesAgainAfterMs = 500;
const looksAgainAfterMs = 25;

export interface Breaker {
  /**
   * Makes the call when the circuit lets it. Where it has not by the time `signal` aborts: GatewayFault `unreachable`.
   */
  run<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createBreaker(gateway: string): Breaker {
  const policy = circuitBreaker(
    handleWhen((error) => error instanceof GatewayFault && error.fault === 'unreachable'),
    { breaker: new ConsecutiveBreaker(opensAfterFaults), halfOpenAfter: triesAgainAfterMs },
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
        await sleep(looksAgainAfterMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
