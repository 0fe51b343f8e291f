import { XpeftError } from "../errors.ts";
import { retryMemory } from "./retry-memory.ts";

/** Hands out addresses of a memory, one after the other. */
export interface Places {
  /** Returns the address of so many bytes. */
  take(bytes: number): number;
  /** Returns the address of so many numbers of 32 bits. */
  numbers(count: number): number;
  /** Returns how many bytes were handed out. */
  end(): number;
}

/** A module's kernels, and the one memory that they work in. */
export interface KernelMemory<Kernels> {
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
  /** Returns a view of float32 numbers. */
  floats(start: number, count: number): Float32Array<ArrayBuffer>;
}

const PAGE = 2 ** 16;
/** Bytes of a v128. */
const ALIGNED = 16;

/** Creates places; each begins at a multiple of 16 bytes. */
export function createPlaces(): Places {
  let end = 0;
  const take = (bytes: number) => {
    const start = end;
    end += Math.ceil(bytes / ALIGNED) * ALIGNED;
    return start;
  };
  return { take, numbers: (count) => take(4 * count), end: () => end };
}

/**
 * Instantiates kernels on a memory of their own.
 *
 * @param module compiled: workerd compiles imports only
 * @param bytes of the memory, at least
 * @throws XpeftError `bundle_unusable` if there is not enough memory
 */
export async function instantiateKernels<Kernels>(
  module: WebAssembly.Module,
  bytes: number,
): Promise<KernelMemory<Kernels>> {
  try {
    const { buffer, exports } = await retryMemory(() => {
      const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
      const instance = new WebAssembly.Instance(module, { env: { memory } });
      return { buffer: memory.buffer as ArrayBuffer, exports: instance.exports };
    });
    return {
      kernels: exports as unknown as Kernels,
      buffer,
      floats: (start, count) => new Float32Array(buffer, start, count),
    };
  } catch (cause) {
    const message = `There is no memory of ${bytes} bytes for the kernels.`;
    throw new XpeftError("bundle_unusable", message, { reason: "files", cause });
  }
}
