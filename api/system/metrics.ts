/** Prometheus metrics of an API process. */
import type { RequestHandler } from 'express';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { StockMetrics } from '../../db/stock/metrics.js';
import { stateOf } from '../http/request-state.js';

export interface Metrics {
  readonly registry: Registry;
  /** Measures each request by route and status. Unknown paths share one series, so that a scan cannot make thousands. */
  readonly measure: RequestHandler;
  readonly stock: StockMetrics;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  return {
    registry,
    stock: new StockMetrics(registry),
    measure: (req, res, next) => {
      const stop = durations.startTimer();
      res.once('close', () => {
        stop({ method: req.method, route: stateOf(req).route ?? 'none', status: String(res.statusCode) });
      });
      next();
    },
  };
}
