"""Computes the logits of texts under a trained task's profiles, in fp32."""

import re
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer

from xpeft.bundle.load import load_bundle_plm
from xpeft.bundle.manifest import Manifest
from xpeft.data import UNREAD_HINT, Example, encode, group_by_profile, has_no_token
from xpeft.errors import BadLine, BadValue, UnknownProfile
from xpeft.evaluate_task import restored_model
from xpeft.faults import some
from xpeft.features import compute_groups
from xpeft.labels import quoted
from xpeft.records import Text
from xpeft.task_files import TrainedTask

# The id of one profile for all texts, or of one for each text. None is the default profile.
Profiles = str | Iterable[str | None] | None
HALF = re.compile("[\ud800-\udfff]")


class Predictor:
    """A trained task with its PLM loaded. pair: whether the task reads a second text; None if it is not known."""

    def __init__(
        self, trained: TrainedTask, bundle: Path, manifest: Manifest, plm_spec: str | None, pair: bool | None, device: torch.device
    ) -> None:
        plm = load_bundle_plm(manifest, plm_spec)
        self.trained, self.pair, self.pad_id = trained, pair, plm.pad_id
        self.model = restored_model(trained, bundle, manifest, plm, device)
        self.tokenizer = Tokenizer.from_file(str(bundle / manifest.file("tokenizer")))
        self.tokenizer.enable_truncation(trained.task.maxTokens)
        self.rows: dict[str | None, int] = {None: len(trained.profiles), **{name: row for row, name in enumerate(trained.profiles)}}

    def logits(self, texts: Iterable[Text], profile: Profiles) -> torch.Tensor:
        """Return logits [texts, labels]. Raises UnknownProfile, BadValue, or BadLine for a text without a token."""
        if isinstance(texts, str):
            raise BadValue(f"texts is one string, {texts!r:.40}", "Give a list of texts: [text].")
        tokenized = self.tokenize(list(texts))
        rows = self.profile_rows(profile, len(tokenized))
        examples = [Example(row, 0, ids, types) for row, (ids, types) in zip(rows, tokenized, strict=True)]
        if not examples:
            return torch.empty(0, len(self.trained.task.labels))
        return compute_groups(self.model.logits, examples, group_by_profile(examples), self.pad_id, self.model.device)

    def profile_rows(self, profile: Profiles, texts: int) -> list[int]:
        """Return the row of each text's profile in the model's tables, [texts]."""
        given = [profile] * texts if profile is None or isinstance(profile, str) else list(profile)
        if len(given) != texts:
            raise BadValue(f"{len(given)} profiles are given for {texts} texts", "Give one profile for all texts, or one for each text.")
        if unknown := list(dict.fromkeys(one for one in given if one not in self.rows)):
            names = some([quoted(one) if isinstance(one, str) else repr(one) for one in unknown])
            hint = "Train it with task.add, or give None for the default profile."
            raise UnknownProfile(f"the task {self.trained.task.task!r} has no profile {names}", hint)
        return [self.rows[one] for one in given]

    def tokenize(self, texts: list[Text]) -> list[tuple[list[int], list[int]]]:
        """Return the token ids and token types of each text."""
        for number, text in enumerate(texts, start=1):
            pair = isinstance(text, tuple)
            parts = text if pair else (text,)
            # Half a character, as a cut JSON string has it, cannot be tokenized.
            if len(parts) != 1 + pair or not all(isinstance(part, str) and not HALF.search(part) for part in parts):
                raise BadValue(f"text {number}: {text!r:.40} is not a text", "A text is a string, or a tuple of two strings.")
            if pair and not self.pair:
                says = "reads no second text" if self.pair is False else "has no report that says whether it reads a second text"
                raise BadValue(f"text {number} is a pair, and the task {says}", "Give one string, or load the task with pair=True.")
        # A blank second text is none, as in data files.
        given = [text[0] if isinstance(text, tuple) and not text[1].strip() else text for text in texts]
        tokenized = []
        for number, encoding in enumerate(encode(self.tokenizer, given), start=1):
            if has_no_token(encoding):
                raise BadLine(f"text {number}: no token is left of it", UNREAD_HINT)
            tokenized.append((encoding.ids, encoding.type_ids))
        return tokenized
