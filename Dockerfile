# Builds the npm package, and an image that serves it. docs/self-hosting.md says how to run it.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
RUN mkdir /app && npm pack --pack-destination / && tar -xzf /xpeft-edge-*.tgz -C /app --strip-components 1
# The versions that the tests ran with, without the tools that only a build needs.
RUN --mount=type=cache,target=/root/.npm \
  cp package-lock.json .npmrc /app && cd /app && npm ci --omit=dev --ignore-scripts
# ONNX Runtime comes in a dozen builds of 10 MB. The server loads one.
RUN find /app/node_modules/onnxruntime-web/dist -type f \
  ! -name ort.wasm.bundle.min.mjs ! -name ort-wasm-simd-threaded.wasm -delete

FROM node:24.21.0-bookworm-slim
COPY --from=build /app /app
RUN chmod +x /app/dist/cli/xpeft.js \
  && ln -s /app/dist/cli/xpeft.js /usr/local/bin/xpeft \
  && install --directory --owner node --group node /data
ENV NODE_ENV=production XPEFT_HOST=0.0.0.0 XPEFT_DATABASE=file:/data/xpeft.db
USER node
WORKDIR /data
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.XPEFT_PORT || 8787) + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The server itself gets SIGTERM: there is no shell in between.
ENTRYPOINT ["xpeft"]
CMD ["serve"]
