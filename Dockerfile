# syntax=docker/dockerfile:1
FROM node:20-bookworm-slim AS build
# For SQLite, where there is no ready-made one for the platform.
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /hub
COPY package.json package-lock.json ./
COPY scripts/run.mjs scripts/steps.mjs scripts/other-node.mjs scripts/
RUN node scripts/run.mjs install
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# uWebSockets.js comes with binaries for all platforms, 133 MB; this image keeps its own.
RUN find node_modules/uWebSockets.js/dist/bin -name '*.node' \
  ! -name "uws_$(node -p '[process.platform, process.arch, process.versions.modules].join("_")').node" -delete

FROM node:20-bookworm-slim
ENV NODE_ENV=production \
    DISCOVERY_DB_URL=sqlite:////data/discovery.db
COPY --from=build --chown=root:root /hub/package.json /hub/
COPY --from=build --chown=root:root /hub/node_modules /hub/node_modules
COPY --from=build --chown=root:root /hub/dist /hub/dist
RUN mkdir /data && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 7465
# Asks itself, under an address that no certificate is made for.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "const tls = process.env.DISCOVERY_TLS_CERT; if (tls) process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; fetch((tls ? 'https' : 'http') + '://127.0.0.1:' + (process.env.DISCOVERY_PORT ?? 7465) + '/health').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/hub/dist/command/main.js"]
CMD ["serve"]
