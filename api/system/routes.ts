/** The open paths: whether the process lives and can serve, its figures, and its documentation. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { ApiDeps } from '../deps.js';
import { refuseCardDataInHead } from '../middleware/card-data.js';
import { openApiDocument } from '../openapi.js';
import { stateOf } from '../request-state.js';
import type { Route } from '../route.js';

export const openPaths = ['/livez', '/readyz', '/metrics', '/openapi.json', '/docs'] as const;

export function mountSystem(app: Express, routes: readonly Route[], { metrics, notReady }: ApiDeps): void {
  const document = JSON.stringify(openApiDocument(routes));
  const get = (path: (typeof openPaths)[number], ...handlers: RequestHandler[]) => {
    const found: RequestHandler = (req, _res, next) => {
      stateOf(req).route = path;
      next();
    };
    app.get(path, found, refuseCardDataInHead, ...handlers);
  };

  get('/livez', (_req, res) => {
    res.set('Cache-Control', 'no-store').json({ status: 'alive' });
  });
  get('/readyz', async (_req, res) => {
    const missing = await notReady();
    const status = missing.length === 0 ? 'ready' : 'not_ready';
    res
      .status(missing.length === 0 ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status, notReady: missing });
  });
  get('/metrics', async (_req, res) => {
    res.set('Content-Type', metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  get('/openapi.json', (_req, res) => {
    res.type('application/json').send(document);
  });
  get('/docs', pageSecurity, (_req, res) => {
    res.type('text/html').send(page);
  });
  app.get('/docs/start.js', (_req, res) => {
    res.type('text/javascript').send(pageStart);
  });
  app.use('/docs', express.static(swaggerFolder(), { index: false, fallthrough: true, maxAge: '1h' }));
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
