"""`runs/*.json`: one file a run, written by what runs the comparison and read by the report."""

from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

# In the order of the report's tables. An experiment names them.
MethodName = Literal[
    "profile", "majority", "head", "logistic", "ridge", "user-vector", "rank-1", "knn",
    "hard", "soft", "adapter", "lora", "ia3", "bitfit", "vera", "vblora",
    "unilora-200", "unilora-400", "lora-xs", "ia3-last", "shared-adapter",
]  # fmt: skip
METHOD_NAMES: tuple[MethodName, ...] = get_args(MethodName)
# What `python -m xpeft train` makes by default.
DEFAULT_METHOD = "profile"


class Exact(BaseModel):
    """A record that rejects unknown fields and converts no types."""

    # NaN is not JSON, and a mean over seeds would hide where it came from.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Metric(Exact):
    """The data set's own metric."""

    name: str = Field(min_length=1)
    """accuracy, matthews, f1, pearson-spearman, mae, …"""
    value: float
    """On the record's split."""
    higherIsBetter: bool  # noqa: N815 - the file's own spelling, here and below
    """False for errors, such as mae."""


class TextCounts(Exact):
    """Labelled texts in each split, as they were used: of the slice, where there is one."""

    train: int = Field(ge=0)
    """Texts that were trained on."""
    dev: int = Field(ge=0)
    """Texts that settings were chosen on."""
    test: int = Field(ge=0)
    """Texts of the test split."""


class ProfileFigures(Exact):
    """Figures of each profile with texts in the record's split. The lists have one order."""

    ids: list[str] = Field(min_length=1)
    """Ids of the profiles."""
    texts: list[Annotated[int, Field(ge=1)]]
    """Number of texts."""
    right: list[Annotated[int, Field(ge=0)]]
    """Number of texts with the right label."""
    absoluteErrors: list[Annotated[float, Field(ge=0)]] | None  # noqa: N815
    """Sum over texts of the distance between predicted and true label. None where labels are no numbers."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        lists = (self.texts, self.right, self.absoluteErrors if self.absoluteErrors is not None else self.ids)
        if any(len(figures) != len(self.ids) for figures in lists):
            raise ValueError("the lists of profiles differ in length")
        if any(right > texts for right, texts in zip(self.right, self.texts, strict=True)):
            raise ValueError("a profile has more right texts than texts")
        return self


class Answers(Exact):
    """What the metric compares, text by text: labels by index, scores, or chosen endings."""

    truth: list[float] = Field(min_length=1)
    """The right answer of each text."""
    predicted: list[float]
    """The method's answer, in the same order."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.truth) != len(self.predicted):
            raise ValueError("truth and predicted differ in length")
        return self


class RunRecord(Exact):
    """One run: one method with one seed on one data set, measured on one split."""

    data: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)?$")
    """Data set: news, offense, tastes, inbox, intents, reviews, glue/mrpc, superglue/cb, …"""
    slice: str | None = Field(min_length=1)
    """None: the whole data set. Else which part, in words: "20 profiles", "2,000 training texts, 64 tokens"."""
    split: Literal["test", "dev"]
    """The split that all figures of the record are of."""
    purpose: Literal["result", "search", "curve"]
    """result: for the tables. search: to choose a learning rate on dev. curve: accuracy against labelled texts of new profiles."""
    method: str = Field(pattern=rf"^({'|'.join(METHOD_NAMES)})(\+bias|\+own)?$")
    """One of METHOD_NAMES, with "+bias" where each profile has a label bias too, and "+own" where it has its own head."""
    pool: str | None = Field(min_length=1)
    """Adapter pool, its kind first: "sign N=256 k=128 b=16", "gaussian N=100 k=50 b=48", …. None for methods without one."""
    seed: int = Field(ge=0)
    """Seed of everything random in the run."""
    micro: float
    """Accuracy over all texts; for glue/sts-b and superglue/copa, the metric's value."""
    macro: float
    """Mean of the profiles' accuracies; for glue/sts-b and superglue/copa, the metric's value."""
    metric: Metric
    """The data set's own metric."""
    crossEntropy: float | None  # noqa: N815
    """Mean cross entropy of the split's labels, by which searches choose. None for methods without probabilities."""
    bytesPerProfile: int = Field(ge=0)  # noqa: N815
    """Every byte that a profile needs beside what all profiles share."""
    headBytes: int = Field(default=0, ge=0)  # noqa: N815
    """The part of bytesPerProfile that is a head which every method needs, as each profile has its own labels."""
    bytesPerTask: int = Field(ge=0)  # noqa: N815
    """Every byte that all profiles of the task share, such as the head; not the PLM."""
    trainedParameters: int = Field(ge=0)  # noqa: N815
    """Parameters trained for each profile."""
    seconds: float = Field(ge=0)
    """Wall time of the training."""
    device: str
    """What it ran on, in words."""
    commit: str
    """Commit of the code that ran."""
    command: str
    """The command line that made the file."""
    texts: TextCounts
    """How many texts there were."""
    profileCount: int = Field(ge=1)  # noqa: N815
    """Number of profiles; 1 where the data set has none."""
    textsPerProfile: int | None = Field(ge=1)  # noqa: N815
    """For purpose "curve": labelled texts of each newly added profile. Else None."""
    recipe: dict[str, JsonValue]
    """Settings: learning rates, epochs, …"""
    settingsTried: int = Field(ge=1)  # noqa: N815
    """Number of settings that the search on dev chose from; 1 without a search."""
    profiles: ProfileFigures
    """What each profile gets right."""
    answers: Answers | None
    """For a data set with one profile: the answer to each text. Else None."""
    losses: list[tuple[int, float]]
    """Step, and the mean training loss since the entry before. Empty for methods without training."""
    epochs: list[float]
    """Cross entropy on dev after each epoch, by which early stopping chooses. Empty for methods without it."""
    chosen: list[list[list[float]]] | None
    """For masks: [L][2 (down, up)][N], the share of the profiles that choose each adapter. Else None."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.purpose == "curve") != (self.textsPerProfile is not None):
            raise ValueError('textsPerProfile belongs to runs of purpose "curve", and to them only')
        if self.base in ("hard", "soft") and self.pool is None:
            raise ValueError("hard and soft masks need a pool")
        if self.headBytes > self.bytesPerProfile:
            raise ValueError("headBytes are a part of bytesPerProfile")
        if self.chosen is not None and (
            any(len(layer) != 2 for layer in self.chosen) or len({len(row) for layer in self.chosen for row in layer}) != 1
        ):
            raise ValueError("chosen is not [L][2][N]")
        return self

    @property
    def bytesBesideHead(self) -> int:  # noqa: N802
        """The bytes that methods differ in: those of a profile without a head that it has under every method."""
        return self.bytesPerProfile - self.headBytes

    @property
    def base(self) -> str:
        """The method without what is said of the head."""
        return self.method.partition("+")[0]

    @property
    def head(self) -> str:
        """What the name says of the head: nothing if it is shared, "+bias" if label biases are added, "+own" if each profile has one."""
        return self.method.removeprefix(self.base)
