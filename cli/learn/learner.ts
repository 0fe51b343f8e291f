import { loadEngine } from "../../node/engine.ts";
import type { Example } from "../../src/learn/examples.ts";
import type { LearnProgress } from "../../src/learn/progress.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import type { Engine } from "../../src/serving/engine.ts";
import type { LearntProfile, StartChoice } from "../../src/serving/learn-profile.ts";

/** Settings of learning. */
export interface LearnSettings {
  readonly start: StartChoice;
  /** The labels that the profiles will know; by default those that they know already, otherwise all. */
  readonly knownLabels?: string[];
  readonly epochs: number;
  readonly seed: number;
  /** Whether the start "auto" replaces an existing profile even if nothing was gained. */
  readonly force?: boolean;
}

/** Learns profiles of one task. */
export interface Learner {
  /** The task's name. */
  readonly name: string;
  /** Null if only the Worker knows the task. */
  readonly task: NewTask | null;
  /** @throws XpeftError as `learnProfile` of the engine does; ProblemError from a running Worker */
  learn(
    profile: string,
    examples: readonly Example[],
    onProgress: (progress: LearnProgress) => void,
  ): Promise<LearntProfile>;
}

/** Returns the hooks of learning in this process: without a limit of time, and not cancelled. */
export const localHooks = <Progress = LearnProgress>(onProgress: (progress: Progress) => void) => ({
  onProgress: async (progress: Progress) => onProgress(progress),
  signal: new AbortController().signal,
  budgetSeconds: Number.POSITIVE_INFINITY,
});

/** Returns a function that loads an engine at its first call and returns the same engine later. */
export function lazyEngine(bundleFolder: string): () => Promise<Engine> {
  let engine: Promise<Engine> | undefined;
  return () => {
    engine ??= loadEngine(bundleFolder);
    return engine;
  };
}
