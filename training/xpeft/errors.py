"""The one kind of error that a user of the companion is meant to read."""


class XpeftError(Exception):
    """Something the user can mend. `hint` says how; `code` names the kind for programs, and is never renamed or used again."""

    code = "refused"

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class BadLine(XpeftError):
    """A line of a file is not of the file's format."""

    code = "bad-line"


class UnreadableFile(XpeftError):
    """A file is missing, no file, or damaged."""

    code = "unreadable-file"


class UnknownKey(XpeftError):
    """An experiment file has a key that is none."""

    code = "unknown-key"


class MissingKey(XpeftError):
    """An experiment file lacks a key that has no default."""

    code = "missing-key"


class BadValue(XpeftError):
    """A key of an experiment file has a value that is not allowed."""

    code = "bad-value"


class NoTexts(XpeftError):
    """A file has none of the texts that are asked for."""

    code = "no-texts"


class NoTrainText(XpeftError):
    """A profile is to be learnt without a training text."""

    code = "no-train-text"


class OneLabel(XpeftError):
    """All training texts have the same label."""

    code = "one-label"


class UnknownLabel(XpeftError):
    """A label that is not the task's, or was never seen in training."""

    code = "unknown-label"


class UnknownProfile(XpeftError):
    """A profile that is not the task's."""

    code = "unknown-profile"


class NoGpu(XpeftError):
    """A GPU is asked for where there is none."""

    code = "no-gpu"


class NotWritten(XpeftError):
    """A file or folder cannot be written: the disk is full, for one."""

    code = "not-written"


class NoCheckpoint(XpeftError):
    """There is nothing to go on from."""

    code = "no-checkpoint"


class BadCheckpoint(XpeftError):
    """A checkpoint is damaged."""

    code = "bad-checkpoint"


class NoProfiles(XpeftError):
    """Nothing is left to learn."""

    code = "no-profiles"


class OtherRun(XpeftError):
    """A checkpoint is of a run with other settings or data."""

    code = "other-run"
