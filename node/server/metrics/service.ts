import { Counter, Gauge, type Registry } from "@prometheus-io/client";
import { ROW_CACHE_BYTES } from "../../../app/platform/settings.ts";
import type { Service } from "../../../app/service/service.ts";
import type { Lookups } from "../../../src/lib/lookups.ts";
import { MAX_TOKENS_IN_FLIGHT } from "../../../src/serving/overload.ts";

interface Cache extends Lookups {
  readonly bytes: number;
  readonly maxBytes: number;
}

function cachesOf({ cache, engine }: Service): [name: string, Cache][] {
  return Object.entries({ rows: { ...cache.size(), maxBytes: 2 * ROW_CACHE_BYTES }, ...engine.caches() });
}

/** Adds the metrics that are read of the service at each scrape. @param read returns the service */
export function addServiceMetrics(registry: Registry, read: () => Promise<Service>): void {
  const registers = [registry];

  function gauge(name: string, help: string, measure: (service: Service) => number): void {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(measure(await read()));
      },
    });
  }

  function ofCaches(Kind: typeof Counter | typeof Gauge, name: string, help: string, field: keyof Cache): void {
    new Kind({
      name,
      help,
      labelNames: ["cache"],
      registers,
      async collect() {
        const caches = cachesOf(await read());
        // The service counts from its start, as a counter of the library does that is set to 0 first.
        this.reset();
        for (const [cache, { [field]: value }] of caches) this.inc({ cache }, value);
      },
    });
  }

  gauge("xpeft_processes", "Processes that serve.", () => 1);
  gauge("xpeft_queue_tokens", "Tokens of accepted texts that the encoder has not read yet.", ({ engine }) =>
    engine.waitingTokens(),
  );
  gauge("xpeft_queue_limit_tokens", "Tokens in flight above which requests are rejected.", () => MAX_TOKENS_IN_FLIGHT);
  gauge("xpeft_wasm_memory_bytes", "WASM memory of the encoder, the pool and the tail.", ({ engine }) =>
    engine.heapBytes(),
  );
  ofCaches(Counter, "xpeft_cache_hits_total", "Lookups that found their entry in the cache.", "hits");
  ofCaches(Counter, "xpeft_cache_misses_total", "Lookups that did not find their entry in the cache.", "misses");
  ofCaches(Gauge, "xpeft_cache_bytes", "Bytes of the cache's entries.", "bytes");
  ofCaches(Gauge, "xpeft_cache_limit_bytes", "Most bytes of the cache's entries.", "maxBytes");
}
