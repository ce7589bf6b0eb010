/** Prometheus metrics of admission. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface AdmissionState {
  readonly limit: number;
  readonly inUse: number;
  readonly queued: number;
}

export class AdmissionMetrics {
  readonly #waits: Histogram;
  readonly #refused: Counter<'reason'>;

  constructor(registry: Registry, state: () => AdmissionState) {
    const gauge = (name: string, help: string, read: (now: AdmissionState) => number) =>
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read(state()));
        },
      });
    gauge('holdfast_admission_limit', 'Limit of sagas in flight in this process.', ({ limit }) => limit);
    gauge('holdfast_admission_in_flight', 'Sagas that have started and are not decided.', ({ inUse }) => inUse);
    gauge('holdfast_admission_queued', 'Calls waiting to start a saga.', ({ queued }) => queued);
    this.#waits = new Histogram({
      name: 'holdfast_admission_wait_seconds',
      help: 'How long calls waited before they could start a saga.',
      buckets: [0.005, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 30],
      registers: [registry],
    });
    this.#refused = new Counter({
      name: 'holdfast_admission_refused_total',
      help: 'Calls answered 503 because of overload or because the process was stopping.',
      labelNames: ['reason'],
      registers: [registry],
    });
  }

  admitted(waitedSeconds: number): void {
    this.#waits.observe(waitedSeconds);
  }

  refused(reason: 'overload' | 'stopping'): void {
    this.#refused.inc({ reason });
  }
}
