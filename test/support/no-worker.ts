/** An empty Worker for tests of single modules, so that no test file waits until the whole Worker is loaded. */
export default {};
