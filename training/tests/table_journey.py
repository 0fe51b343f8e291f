"""The way of a table from its file to the answers of a Worker, with what each step must say or write."""

import gzip
import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.conftest import quick_recipe
from tests.edge import Edge
from tests.ugly_tables import UglyTable, chance, is_number
from xpeft.checkpoint import CHECKPOINT
from xpeft.cli import app
from xpeft.records import SPLITS

# The edge's weights are rounded to int8, so that labels may differ whose scores are as near as this.
NEAR = 0.05
MAX_LINE_BYTES = 64 * 1024


def run(*args: str) -> Result:
    """Run a command of the training half. Every exception but an exit is a bug."""
    result = CliRunner().invoke(app, list(args))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert (result.exit_code == 0) == ("error[" not in result.output), result.output
    assert (result.exit_code == 0) == ("hint: " not in result.output), result.output
    return result


def strict(content: str) -> Any:
    """Return what JSON says. NaN and Infinity are not JSON."""
    return json.loads(content, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file."""
    return [strict(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


@dataclass(frozen=True)
class Journey:
    """A table's way from file to answers. Each step returns None if it stops there and has said why."""

    table: UglyTable
    folder: Path
    edge: Edge
    task: str
    bundle: Path
    plm: Path
    rng: Random

    def go(self) -> None:
        """Go as far as the table goes."""
        data = self.prepare()
        out = data and self.train(data)
        if data and out:
            self.push(out)
            self.evaluate(data, out, self.predict(data, out))

    def prepare(self) -> Path | None:
        """Return the data file, which has the table's rows."""
        source, data = self.folder / self.table.name, self.folder / "data.jsonl"
        source.write_bytes(self.table.content)
        ran = run("prepare", str(source), "--out", str(data), *self.table.options)
        skipped = self.table.skipped
        if ran.exit_code != 0:
            assert not data.exists()
            if self.splits_fail and "training text" in ran.output:
                return None
            flaws = [flaw for flaw in self.table.flaws if flaw not in skipped]
            assert any(flaw.is_named(ran.output) for flaw in flaws), f"none of {flaws} is named: {ran.output}"
            return None
        assert all(flaw.is_named(ran.output) for flaw in skipped), f"{skipped} are not all named: {ran.output}"
        assert len(skipped) == len(self.table.flaws), f"{self.table.flaws} were read: {ran.output}"
        assert not self.splits_fail
        records = lines_of(data)
        self.check_records(records)
        counts = Counter(record["split"] for record in records)
        profiles, labels = (len({record[field] for record in records}) for field in ("profile", "label"))
        splits = ", ".join(f"{counts[split]} {split}" for split in SPLITS)
        assert ran.stdout.endswith(f"{data}: {profiles} profiles, {labels} labels, {splits}\n")
        return data

    @property
    def splits_fail(self) -> bool:
        """Whether the table's own splits leave a label or a profile without a training text."""
        train = [row for row in self.table.rows if row.split == "train"]
        all_learnt = all(
            len({vars(row)[field] for row in train}) == len({vars(row)[field] for row in self.table.rows}) for field in ("profile", "label")
        )
        return self.table.splits and bool(train) and not all_learnt

    def check_records(self, records: list[dict[str, Any]]) -> None:
        """Check the records of the data file against the table's rows."""
        rows = self.table.rows
        assert len(records) == len(rows)
        numeric = all(is_number(row.label) for row in rows)
        for record, row in zip(records, rows, strict=True):
            assert (record["text"], record.get("text_pair") or "") == (row.text, row.text_pair)
            assert float(record["label"]) == float(row.label) if numeric else record["label"] == row.label
            assert "--hash-ids" in self.table.options or record["profile"] == row.profile
            assert record["split"] == row.split if self.table.splits else record["split"] in SPLITS
        assert len({record["profile"] for record in records}) == len({row.profile for row in rows})
        if numeric:
            assert len({record["label"] for record in records}) == len({float(row.label) for row in rows})
        if self.table.splits:
            return
        train = [record for record in records if record["split"] == "train"]
        for field in ("profile", "label"):
            assert {record[field] for record in train} == {record[field] for record in records}
        owner = "text" if "--group" in self.table.options else "profile"
        splits_of = defaultdict(set)
        for record in records:
            splits_of[record["text"], record.get("text_pair"), record[owner]].add(record["split"])
        assert all(len(splits) == 1 for splits in splits_of.values())

    def train(self, data: Path) -> Path | None:
        """Return the folder of the trained task."""
        out = self.folder / "out"
        paths = ["--data", str(data), "--bundle", str(self.bundle), "--plm", str(self.plm), "--out", str(out)]
        changes: dict[str, object] = self.rng.choice([{}, {"label_bias": True}, {"label_bias": "auto", "masks__use": "auto"}])
        file = quick_recipe(self.folder / "recipe.toml", masks__epochs=1, masks__profiles_per_step=4, **changes)
        recipe = ["--recipe", file, "--device", "cpu", "--quiet", *self.pair_option, *self.rng.choice([[], ["--max-tokens", "8"]])]
        checked = CliRunner().invoke(app, ["check", str(data), "--json", *self.pair_option])
        ran = run("train", "--task", self.task, *paths, *recipe)
        records = lines_of(data)
        train = [record for record in records if record["split"] == "train"]
        can_train = len({record["label"] for record in train}) > 1 and all(
            {record[field] for record in train} == {record[field] for record in records} for field in ("profile", "label")
        )
        if ran.exit_code != 0:
            assert not can_train, ran.output
            assert not (out / CHECKPOINT).exists(), "a training is lost"
            assert (checked.exit_code, strict(checked.output)["refused"]) == (1, True)
            return None
        assert can_train
        assert (checked.exit_code, strict(checked.output)["refused"]) == (0, False)
        assert strict((out / "task.json").read_text(encoding="utf-8"))["labels"] == sorted({record["label"] for record in train})
        strict((out / "report.json").read_text(encoding="utf-8"))
        return out

    @property
    def pair_option(self) -> list[str]:
        return ["--pair"] if self.table.pair else []

    def push(self, out: Path) -> None:
        """Write the task to the Worker."""
        files = ["--task", str(out / "task.json"), "--profiles", str(out / "profiles.ndjson"), "--bundle", str(self.bundle)]
        code, _, stderr = self.edge.run("push", *files, "--url", self.edge.worker["XPEFT_URL"])
        assert code == 0, stderr

    def predict(self, data: Path, out: Path) -> list[dict[str, float] | None]:
        """Return the scores of each text of the test split, by label; None if it is too long. Without a test split, all are predicted."""
        records = lines_of(data)
        test = [record for record in records if record["split"] == "test"] or records
        labels = set(strict((out / "task.json").read_text(encoding="utf-8"))["labels"])
        inputs = [
            {"text": record["text"], "profile": record["profile"]}
            | ({"textPair": pair} if self.table.pair and (pair := record.get("text_pair")) else {})
            for record in test
        ]
        file = self.folder / "texts.ndjson"
        file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in inputs), encoding="utf-8", newline="")
        code, stdout, stderr = self.edge.run("predict", self.task, "--file", str(file), "--json", "--scores")
        answers = [strict(line) for line in stdout.split("\n") if line]
        too_long = [len(json.dumps(line, ensure_ascii=False).encode()) > MAX_LINE_BYTES for line in inputs]
        assert [("error" in answer) for answer in answers] == too_long
        assert code == int(any(too_long)), stderr
        for answer in answers:
            if "error" in answer:
                assert "65536 bytes" in answer["error"]["detail"]
                continue
            # Where profiles have no label in common, each knows only its own.
            own = {record["label"] for record in records if record["profile"] == answer["profile"] and record["split"] != "test"}
            assert set(answer["scores"]) in (labels, own)
            assert answer["scores"][answer["label"]] == max(answer["scores"].values()) == answer["score"]
        if not self.table.pair:
            self.predict_lines(test, [answer.get("label") for answer in answers])
        return [answer.get("scores") for answer in answers]

    def predict_lines(self, records: list[dict[str, Any]], labels: list[str | None]) -> None:
        """Check that the texts of one profile, as lines of a text file, get the same labels, or that the file's encoding is named."""
        profile, end = records[0]["profile"], self.rng.choice(["\n", "\r\n", "\r"])
        lines = [
            (record["text"] + end, label)
            for record, label in zip(records, labels, strict=True)
            if label and record["profile"] == profile and not {"\n", "\r" if end == "\r" else "\n"} & {*record["text"]}
        ]
        if not lines:
            return
        encoding = self.rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-8-sig", "utf-16"])
        content = "".join(line for line, _ in lines).encode(encoding)
        file = self.folder / "texts.txt"
        file.write_bytes(gzip.compress(content) if chance(self.rng, 3) else content)
        code, stdout, stderr = self.edge.run("predict", self.task, "--profile", profile, "--file", str(file))
        if encoding == "utf-16":
            assert (code, stdout, "UTF-16" in stderr) == (1, "", True), stderr
        else:
            assert code == 0, stderr
            assert [line.split("\t")[0] for line in stdout.split("\n")[:-1]] == [label for _, label in lines]

    def evaluate(self, data: Path, out: Path, scores: list[dict[str, float] | None]) -> None:
        """Check that both halves evaluate the task alike."""
        here, there = self.folder / "here.ndjson", self.folder / "there.ndjson"
        paths = ["--data", str(data), "--bundle", str(self.bundle), "--plm", str(self.plm), "--task", str(out), "--device", "cpu"]
        ran = run("eval", *paths, "--predictions", str(here), *self.pair_option)
        test = [record for record in lines_of(data) if record["split"] == "test"]
        # Without a pair, --pair is refused.
        pair = ["--pair"] if any(record.get("text_pair") for record in test) else []
        code, stdout, stderr = self.edge.run("eval", "--data", str(data), "--task", self.task, "--predictions", str(there), *pair)
        if not test:
            assert (ran.exit_code, code) == (1, 1)
            assert "test split" in ran.output
            assert "test split" in stderr
            return
        assert (ran.exit_code, code) == (0, 0), stderr
        summary, other = strict(ran.stdout.splitlines()[-1]), strict(stdout.splitlines()[-1])
        assert summary["n"] == other["n"] == len(test)
        assert ("mae" in summary) == ("mae" in other)
        first, second = lines_of(here), lines_of(there)
        assert [line["label"] for line in first] == [line["label"] for line in second] == [record["label"] for record in test]
        for one, two, score in zip(first, second, scores, strict=True):
            if score is None:
                continue
            assert score[two["predicted"]] == max(score.values())
            assert abs(score[one["predicted"]] - score[two["predicted"]]) < NEAR
        for predictions, line in ((first, summary), (second, other)):
            assert math.isclose(line["micro"], sum(one["label"] == one["predicted"] for one in predictions) / len(test))
