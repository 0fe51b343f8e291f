"""Loads LoRA adapters from disk on request, and caches the most recent ones."""

from collections import OrderedDict
from pathlib import Path

import torch
from peft import PeftModel


class SwappedAdapters:
    """A frozen PLM and a folder of PEFT adapters, with a cache of `cached` adapters.

    It is not thread-safe: PEFT has one active adapter.
    """

    def __init__(self, plm: torch.nn.Module, folder: Path, cached: int) -> None:
        self.plm = plm
        self.folder = folder
        self.cached = cached
        self.model: PeftModel | None = None
        self.active = ""
        self.recent: OrderedDict[str, None] = OrderedDict()

    def use(self, profile: str) -> torch.nn.Module:
        """Return the PLM with the adapter of a profile. Raises KeyError if there is none."""
        path = self.folder / profile
        if profile not in self.recent:
            if not (path / "adapter_config.json").exists():
                raise KeyError(profile)
            self._load(profile, path)
        assert self.model is not None
        if profile != self.active:
            self.model.set_adapter(profile)
            self.active = profile
        self.recent[profile] = None
        self.recent.move_to_end(profile)
        if len(self.recent) > self.cached:
            oldest, _ = self.recent.popitem(last=False)
            self.model.delete_adapter(oldest)
        wrapped: torch.nn.Module = self.model
        return wrapped

    def _load(self, profile: str, path: Path) -> None:
        if self.model is None:
            # PEFT wraps a model only with its first adapter.
            self.model = PeftModel.from_pretrained(self.plm, path, adapter_name=profile).eval()
            self.active = profile
        else:
            self.model.load_adapter(path, adapter_name=profile)
