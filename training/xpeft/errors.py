"""Errors that the user can fix. Every other exception is a bug."""


class XpeftError(Exception):
    """An error with a hint. `hint` says how to fix it; `code` names the kind for programs, and is never renamed or reused."""

    code = "refused"

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class BadLine(XpeftError):
    """A line of a file does not follow the file's format."""

    code = "bad-line"


class UnreadableFile(XpeftError):
    """A file is missing, is not a file, or is damaged."""

    code = "unreadable-file"


class UnsupportedPlm(XpeftError):
    """A PLM computes something that the bundle's graphs do not."""

    code = "unsupported-plm"


class UnsupportedTokenizer(XpeftError):
    """A PLM's tokenizer is not one that the edge reads exactly as Python does."""

    code = "unsupported-tokenizer"


class TooLarge(XpeftError):
    """A bundle exceeds a limit of the platform that serves it."""

    code = "too-large"


class UnknownKey(XpeftError):
    """An experiment file has an unknown key."""

    code = "unknown-key"


class MissingKey(XpeftError):
    """An experiment file lacks a key that has no default."""

    code = "missing-key"


class BadValue(XpeftError):
    """A key of an experiment file has a value that is not allowed."""

    code = "bad-value"


class NoTexts(XpeftError):
    """A file has no texts of the split that is needed."""

    code = "no-texts"


class NoTrainText(XpeftError):
    """A profile has no training text."""

    code = "no-train-text"


class OneLabel(XpeftError):
    """All training texts have the same label."""

    code = "one-label"


class UnknownLabel(XpeftError):
    """A label is not one of the task's labels, or no training text has it."""

    code = "unknown-label"


class UnknownProfile(XpeftError):
    """A profile is not one of the task's profiles."""

    code = "unknown-profile"


class NoGpu(XpeftError):
    """A GPU is requested, and PyTorch sees none."""

    code = "no-gpu"


class NotWritten(XpeftError):
    """A file or folder cannot be written, for example because the disk is full."""

    code = "not-written"


class BadCheckpoint(XpeftError):
    """A checkpoint is damaged."""

    code = "bad-checkpoint"


class NotFinite(XpeftError):
    """A loss, or what the model computes, is not a finite number: the training diverged, or the files are damaged."""

    code = "not-finite"


class NoProfiles(XpeftError):
    """A shard has no profiles."""

    code = "no-profiles"


class UnreachableWorker(XpeftError):
    """Nothing answers at an address, or what answers is no Worker."""

    code = "unreachable-worker"


class WorkerProblem(XpeftError):
    """A Worker answers with an error. code, hint: the Worker's own. status: of HTTP."""

    def __init__(self, message: str, hint: str, code: str, status: int) -> None:
        super().__init__(message, hint)
        self.code = code
        self.status = status


class OtherRun(XpeftError):
    """A checkpoint belongs to a run with other settings or data."""

    code = "other-run"


class DownloadFailed(XpeftError):
    """A file cannot be downloaded."""

    code = "download-failed"


class WrongChecksum(XpeftError):
    """A downloaded file differs from the one that is known."""

    code = "wrong-checksum"


class UnexpectedSource(XpeftError):
    """A downloaded file does not have the format of its source."""

    code = "unexpected-source"


class TermsNotAccepted(XpeftError):
    """The terms of a data set must be accepted first."""

    code = "terms-not-accepted"
