"""The one kind of error that a user of the companion is meant to read."""


class XpeftError(Exception):
    """Something the user can mend. `hint` says how."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
