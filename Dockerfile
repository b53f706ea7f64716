ARG NODE_IMAGE=node:24-trixie-slim

FROM ${NODE_IMAGE} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
# Dependencies first, so that a change of sources does not fetch them again; `prepare` needs the sources.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts
# Of uWebSockets.js, whose packages bring builds for every platform and Node, the one for this image.
RUN find node_modules -name 'uws_*.node' ! -name "uws_linux_x64_$(node -p process.versions.modules).node" -delete

FROM ${NODE_IMAGE}
ENV NODE_ENV=production TZ=Asia/Shanghai
WORKDIR /app
RUN mkdir -p ctpflow logs && chown node:node ctpflow logs
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/libs libs
COPY --from=build /app/data data
COPY --from=build /app/config config
COPY --from=build /app/dist dist
USER node
EXPOSE 7799
# Alive, not "all brokers connected": their fronts close every night, and that is no reason to restart.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.QACTPMD_WEBSOCKET_PORT || 7799}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# What Node writes when it runs out of memory; without the environment, which may hold passwords.
ENTRYPOINT ["node", "--report-on-fatalerror", "--report-exclude-env", "--report-directory=logs", "dist/src/main.js"]
CMD ["--config", "config/simulated.json"]
