/** What the types of workerd, which are the project's, lack of WebAssembly: workerd compiles imports only. */
interface Compiler {
  compile(bytes: Uint8Array): Promise<WebAssembly.Module>;
  validate(bytes: Uint8Array): boolean;
}

/** Compiles and validates WASM, in Node and in browsers. */
export const { compile: compileWasm, validate: validateWasm } = WebAssembly as unknown as Compiler;
