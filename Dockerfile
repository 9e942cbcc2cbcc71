# syntax=docker/dockerfile:1

# The dependencies alone, without the Node binaries that package.json brings for machines with an older Node:
# this image is a Node of the right version.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional && npm cache clean --force

FROM node:24-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data \
    NODE_COMPILE_CACHE=/data/compiled
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
# /data is the only place that is written to; run with --read-only and a volume there. Node keeps what it has compiled there too,
# which makes every start but the first faster.
RUN mkdir /data && chown 65532:65532 /data
USER 65532:65532
VOLUME /data
EXPOSE 8080
# Without an agent, and so past the proxies of the environment.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "require('http').get({port:process.env.PORT,path:'/healthz',agent:false},r=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1))"]
# node itself is process 1 and handles SIGTERM; no shell and no npm in between.
CMD ["node", "src/main.ts"]
