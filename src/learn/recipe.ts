/** How a profile is learnt. Rates and noise are those of the companion's `add` (training/xpeft/add.py), which goes over the texts twice as often. */
export const RECIPE = {
  /** Times that each text is learnt from, if the caller does not say. */
  passes: 5,
  /** Texts whose gradients make one step. */
  textsPerStep: 4,
  /** Learning rate of the mask logits. */
  maskRate: 0.03,
  /** Learning rate of the label bias, whose numbers are larger. */
  biasRate: 0.05,
  /** How far label biases of profiles are expected to be from 0: it keeps that of a few texts small. */
  biasSpread: 1,
  /** Strength of the Gumbel noise at the start; it falls to 0. */
  noise: 0.2,
  /** Temperature of the softmax behind the masks. */
  tau: 1,
  /** Share of the steps in which the rates rise. */
  warmup: 0.06,
  /** How far ahead the adapters that the start chooses are: about ten steps of their rate, so that a few texts can turn a bit. */
  headStart: 0.3,
  /** Spread of the logits' random part at the start: small, so that the first gradients decide. */
  jitter: 0.01,
  /** Known profiles that are tried as starts, beside the default. */
  starts: 16,
  /** How many, the next by id, they are drawn from. */
  startsDrawnFrom: 64,
  /**
   * Standard errors that the best of them must be ahead of the default by. Of sixteen that are no better one is so ahead in four cases of
   * ten; where profiles are alike in kind that loses less than passing by a start that helps (on dev: 0, 1, 2 and 2.5 were tried).
   */
  startLead: 1.5,
  /** Standard errors that the start or a label bias alone must be ahead of masks by, to be kept in their place. */
  wayLead: 1,
  /** Texts that all starts are tried on. */
  firstRound: 5,
  /** Parts that the texts are cut into, each left out once. */
  folds: 3,
  /** Texts that are tried while they are left out, in all: more tell little more. */
  leftOut: 24,
} as const;
