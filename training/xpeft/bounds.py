"""Bounds of settings. The options of all commands and the keys of experiments have the same."""

# Each text of a pair has a token, beside three special tokens.
MIN_TOKENS = 5
MAX_EPOCHS = 10_000
MAX_PROFILES_PER_STEP = 10_000
MAX_TEXTS_PER_PROFILE = 10_000
MAX_RATE = 100.0
MAX_NOISE = 100.0
MIN_TAU, MAX_TAU = 1e-3, 1e3
MIN_POOL_SCALE, MAX_POOL_SCALE = 0.01, 100.0
MAX_POOL_SIZE = 2**16
# Of a task's own pool, which is stored in the task's row.
MAX_TASK_POOL_SIZE = 4096
MAX_BOTTLENECK = 2**16
MAX_SEED = 2**32 - 1
# Of whatever else is counted: profiles, texts, seeds.
MAX_COUNT = 10**9
