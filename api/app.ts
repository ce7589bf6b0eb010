/** The Express application: the middleware of every request, in order, and the routes. */
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { refusal } from '../domain/errors.js';
import { auditRoutes } from './audit/routes.js';
import type { ApiDeps } from './deps.js';
import { disputeRoutes } from './disputes/routes.js';
import { fraudRoutes } from './fraud/routes.js';
import { canonicalUrl } from './http/paths.js';
import type { Route } from './http/route.js';
import { mountRoutes } from './http/serve.js';
import { inventoryRoutes } from './inventory/routes.js';
import { keyRoutes } from './keys/routes.js';
import { ledgerRoutes } from './ledger/routes.js';
import { locationRoutes } from './locations/routes.js';
import { accessLog, slowWarning } from './middleware/access-log.js';
import { discardRest } from './middleware/body.js';
import { hostIsNamed } from './middleware/host.js';
import { problemHandler, sendRefusal } from './middleware/problem.js';
import { requestId } from './middleware/request-id.js';
import { operationRoutes } from './operations/routes.js';
import { orderRoutes } from './orders/routes.js';
import { paymentRoutes } from './payments/routes.js';
import { productRoutes } from './products/routes.js';
import { purchaseOrderRoutes } from './purchase-orders/routes.js';
import { reconciliationRoutes } from './reconciliations/routes.js';
import { refundRoutes } from './refunds/routes.js';
import { replenishmentRoutes } from './replenishments/routes.js';
import { reservationRoutes } from './reservations/routes.js';
import { reviewRoutes } from './reviews/routes.js';
import { subscriptionRoutes } from './subscriptions/routes.js';
import { supplierRoutes } from './suppliers/routes.js';
import { mountSystem } from './system/routes.js';
import { testClockRoutes } from './test-clocks/routes.js';
import { transferRoutes } from './transfers/routes.js';
import { mountStripeWebhook } from './webhooks/stripe.js';

/** Every route that needs an API key. */
export function apiRoutes(deps: ApiDeps): Route[] {
  return [
    ...productRoutes(deps),
    ...locationRoutes(deps),
    ...supplierRoutes(deps),
    ...inventoryRoutes(deps),
    ...operationRoutes(deps),
    ...reservationRoutes(deps),
    ...transferRoutes(deps),
    ...ledgerRoutes(deps),
    ...orderRoutes(deps),
    ...reconciliationRoutes(deps),
    ...paymentRoutes(deps),
    ...refundRoutes(deps),
    ...disputeRoutes(deps),
    ...subscriptionRoutes(deps),
    ...testClockRoutes(deps),
    ...replenishmentRoutes(deps),
    ...purchaseOrderRoutes(deps),
    ...reviewRoutes(deps),
    ...keyRoutes(deps),
    ...auditRoutes(deps),
    ...fraudRoutes(deps),
  ];
}

/** Answers contain money and personal data, so caches store none unless its own headers allow it. */
const storeNothing: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};

export function createApp(deps: ApiDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.set('trust proxy', deps.settings.trustedProxies);

  app.use(canonicalUrl, requestId, storeNothing, discardRest);
  app.use(accessLog(deps.log), slowWarning(deps.log), deps.metrics.measure);
  app.use(hostIsNamed, helmet());

  const routes = apiRoutes(deps);
  mountSystem(app, routes, deps);
  mountStripeWebhook(app, deps);
  mountRoutes(app, routes, deps);
  app.use((req, res) => sendRefusal(req, res, refusal('not_found', 'no such path')));
  app.use(problemHandler(deps.log));
  return app;
}
