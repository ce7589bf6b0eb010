/** The open paths: liveness, readiness, metrics and documentation. */
import type { ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { ApiDeps } from '../deps.js';
import type { Route } from '../http/route.js';
import { refuseCardDataInHead } from '../middleware/card-data.js';
import { otherMethods, routeFound } from '../middleware/methods.js';
import { openApiDocument } from '../openapi/document.js';

export function mountSystem(app: Express, routes: readonly Route[], { metrics, notReady }: ApiDeps): void {
  const document = JSON.stringify(openApiDocument(routes));
  const get = (path: string, ...handlers: RequestHandler[]) => {
    app
      .route(path)
      .all(routeFound(path), refuseCardDataInHead)
      .get(...handlers)
      .all(otherMethods(['get']));
  };

  get('/', (_req, res) => res.redirect('/docs'));
  get('/livez', (_req, res) => {
    res.json({ status: 'alive' });
  });
  get('/readyz', async (_req, res) => {
    const missing = await notReady();
    const status = missing.length === 0 ? 'ready' : 'not_ready';
    res.status(missing.length === 0 ? 200 : 503).json({ status, notReady: missing });
  });
  get('/metrics', async (_req, res) => {
    res.set('Content-Type', metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  get('/openapi.json', (_req, res) => {
    res.set('Cache-Control', 'no-cache').type('application/json').send(document);
  });
  get('/docs', pageSecurity, (_req, res) => {
    res.set('Cache-Control', 'no-cache').type('text/html').send(page);
  });
  get('/docs/start.js', (_req, res) => {
    res.set('Cache-Control', 'no-cache').type('text/javascript').send(pageStart);
  });
  const setHeaders = (res: ServerResponse) => res.setHeader('Cache-Control', 'public, max-age=3600');
  app.use('/docs', express.static(swaggerFolder(), { index: false, setHeaders }));
}

/** Swagger UI sets styles inline and shows its icons as data; it fetches nothing from elsewhere. */
const pageSecurity = helmet({
  contentSecurityPolicy: {
    directives: { styleSrc: ["'self'", "'unsafe-inline'"], imgSrc: ["'self'", 'data:'], upgradeInsecureRequests: null },
  },
});

function swaggerFolder(): string {
  return dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
}

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Holdfast API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <main id="api"></main>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;
const pageStart = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true });\n`;
