# One image for every process of Holdfast; docker-compose.yml says which one a container runs.

FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY patches ./patches
RUN npm ci
COPY . .
# The build lies under the hash of its sources; in the image it has one name.
RUN npm run build && mv "$(ls -d dist/*)" build && npm prune --omit=dev

FROM node:20-slim
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=32 \
    HOLDFAST_BUILD=/app/build \
    HOLDFAST_BUNDLE=/app/build/workflow-bundle.js
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dev/build.mjs /app/dev/run.mjs ./dev/
COPY --from=build /app/cli/bin.mjs ./cli/
COPY --from=build /app/build ./build
# The sandbox's books, where a volume is put.
RUN mkdir /data && chown node:node /data
USER node
EXPOSE 3000
CMD ["node", "dev/run.mjs", "api/main.js"]
