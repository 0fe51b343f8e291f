export type {
  Api,
  FanOutCounts,
  LearnProgress,
  LearnTaskProgress,
  Learnt,
  LearntTask,
  Problem,
  ProblemStatus,
} from "./api.ts";
export { type Client, type ClientOptions, createClient } from "./client.ts";
export { type FanOutLine, type FanOutRequest, fanOut } from "./fan-out.ts";
export { learning, learningTask } from "./learning.ts";
export { lines } from "./lines.ts";
export { ProblemError, unwrap } from "./problem.ts";
