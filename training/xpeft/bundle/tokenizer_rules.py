"""Rules for the tokenizers that the edge reads exactly as Python does. `src/text/tokenizer-file.ts` has the same rules."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from tokenizers import Tokenizer

from xpeft.errors import UnsupportedTokenizer

HINT = "Use a PLM with a BERT tokenizer: BertNormalizer, BertPreTokenizer, WordPiece, and a template of special tokens."


class Part(BaseModel):
    """A part of tokenizer.json. Types are exact, and other fields are free."""

    model_config = ConfigDict(strict=True)


class Normalizer(Part):
    """BERT's normalizer. Without `strip_accents`, `lowercase` says whether accents go."""

    type: Literal["BertNormalizer"]
    clean_text: bool
    handle_chinese_chars: bool
    strip_accents: bool | None = None
    lowercase: bool


class PreTokenizer(Part):
    """BERT's pre-tokenizer."""

    type: Literal["BertPreTokenizer"]


class SpecialToken(Part):
    """A special token of a template. The encoder has embeddings of two types."""

    id: str
    type_id: Literal[0, 1]


class Sequence(Part):
    """A text of a template."""

    id: Literal["A", "B"]
    type_id: Literal[0, 1]


class SpecialPiece(Part):
    """A piece of a template that is a special token."""

    model_config = ConfigDict(extra="forbid")
    SpecialToken: SpecialToken


class TextPiece(Part):
    """A piece of a template that is a text."""

    model_config = ConfigDict(extra="forbid")
    Sequence: Sequence


Piece = SpecialPiece | TextPiece


def texts_of(pieces: list[Piece]) -> str:
    """Return the texts of a template, in their order."""
    return "".join(piece.Sequence.id for piece in pieces if isinstance(piece, TextPiece))


class KnownToken(Part):
    """What a special token of the templates becomes."""

    ids: list[Annotated[int, Field(ge=0)]]


class PostProcessor(Part):
    """The templates of a text and of a pair."""

    type: Literal["TemplateProcessing"]
    single: list[Piece]
    pair: list[Piece]
    special_tokens: dict[str, KnownToken]

    @field_validator("single")
    @classmethod
    def check_single(cls, pieces: list[Piece]) -> list[Piece]:
        """Raise ValueError if the template has not the text once."""
        if texts_of(pieces) != "A":
            raise ValueError("has other texts than A")
        return pieces

    @field_validator("pair")
    @classmethod
    def check_pair(cls, pieces: list[Piece]) -> list[Piece]:
        """Raise ValueError if the template has not both texts once, in order."""
        if texts_of(pieces) != "AB":
            raise ValueError("has other texts than A and B")
        return pieces


class WordPiece(Part):
    """The model, with its vocabulary."""

    type: Literal["WordPiece"]
    vocab: dict[str, int]
    unk_token: str
    continuing_subword_prefix: str
    max_input_chars_per_word: int = Field(ge=1)


class AddedToken(Part):
    """A token that is found before words are split. The edge's library ignores `single_word`."""

    content: str = Field(min_length=1)
    id: int = Field(ge=0)
    single_word: Literal[False] = False


class TokenizerFile(Part):
    """tokenizer.json, as far as there are rules for it."""

    normalizer: Normalizer
    pre_tokenizer: PreTokenizer
    post_processor: PostProcessor
    model: WordPiece
    added_tokens: list[AddedToken]

    def id_of(self, token: str) -> int | None:
        """Return the id of a token, or None."""
        return next((added.id for added in self.added_tokens if added.content == token), self.model.vocab.get(token))


def tokenizer_fault(content: Any) -> str | None:
    """Return where tokenizer.json breaks a rule, and which, or None if the edge can read it."""
    try:
        file = TokenizerFile.model_validate(content)
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_url=False))
    if file.id_of(file.model.unk_token) is None:
        return "model.unk_token: has no id"
    template = file.post_processor
    for piece in (*template.single, *template.pair):
        if isinstance(piece, SpecialPiece):
            token = piece.SpecialToken.id
            known = template.special_tokens.get(token)
            if known is None or known.ids != [file.id_of(token)]:
                return "post_processor.special_tokens: have other ids in the vocabulary"
    return None


def check_tokenizer(tokenizer: Tokenizer, words: int) -> None:
    """Raise UnsupportedTokenizer if the edge cannot read a PLM's tokenizer, or the PLM has fewer word embeddings than it has ids.

    words: how many word embeddings the PLM has.
    """
    fault = tokenizer_fault(json.loads(tokenizer.to_str()))
    if fault is not None:
        raise UnsupportedTokenizer(f"the edge cannot read the PLM's tokenizer: {fault}", HINT)
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values())
    if largest >= words:
        raise UnsupportedTokenizer(
            f"the tokenizer has the id {largest}, and the PLM has {words} word embeddings",
            "Use the tokenizer that belongs to the PLM, or resize the PLM's embeddings to it.",
        )
