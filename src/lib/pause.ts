/** Waits, so that other work can run meanwhile. @param milliseconds 0 to wait only for work that is ready to run */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
