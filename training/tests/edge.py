"""A real Worker for tests: it serves a bundle, and runs CLI commands against it."""

import json
import subprocess
from pathlib import Path
from typing import cast

from tests.conftest import ROOT

NODE = ROOT / "node_modules" / "node" / "bin" / "node"


class Edge:
    """A Worker that serves a bundle, and the command line beside it."""

    def __init__(self, bundle: Path) -> None:
        command = [str(NODE), "test/support/edge-process.ts", str(bundle)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.worker = self.read()

    def read(self) -> dict[str, str]:
        assert self.process.stdout
        return cast(dict[str, str], json.loads(self.process.stdout.readline()))

    def run(self, *args: str) -> tuple[int, str, str]:
        """Run a command, and return its exit status, standard output and standard error."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(args) + "\n")
        self.process.stdin.flush()
        result = self.read()
        said = result["stdout"], result["stderr"]
        assert not any("    at " in text or "node:internal" in text for text in said), said
        return int(result["code"]), *said

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(60) == 0
