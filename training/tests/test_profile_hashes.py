"""Profile ids that cannot be used, and hashes in their place."""

import hashlib
import hmac
import re
import subprocess
from pathlib import Path

from tests.conftest import ROOT
from tests.prepared_tables import prepare_command, prepared, rejected, write_table
from xpeft.prepare import Preparation
from xpeft.profile_hashes import hash_profile_id
from xpeft.records import read_records
from xpeft.table_records import IdHash

BAD_IDS = ["_team", "jo+tag@example.org", "Acme Ltd", "Zoë", "user/7", "{1b2c}", "x" * 129]


def test_all_bad_ids_are_named(tmp_path: Path) -> None:
    rows = [(profile, f"text {place}", "xy"[place % 2]) for place, profile in enumerate(["00123", *BAD_IDS, "_team", " 007 "])]
    said, hint = rejected(write_table(tmp_path, rows))
    assert said == (
        "line 3: 7 of 9 profile ids cannot be used: '_team' (line 3), 'jo+tag@example.org' (line 4), 'Acme Ltd' (line 5), "
        "'Zoë' (line 6), 'user/7' (line 7) and 2 more (bad rows: 8)"
    )
    assert "--hash-ids" in hint


def test_ids_are_hashed_so_that_a_client_can_compute_them(tmp_path: Path) -> None:
    rows = [(profile, f"text {place}", "xy"[place % 2]) for place, profile in enumerate([*BAD_IDS, "Zoe\u0308", " Acme Ltd\u00a0"])]
    table = write_table(tmp_path, rows)
    records, told = prepared(table, how=Preparation(id_hash=IdHash()))
    ids = [hashlib.sha256(profile.encode()).hexdigest()[:32] for profile in BAD_IDS]
    assert [one.profile for one in records] == [*ids, ids[3], ids[2]]
    assert any("whoever guesses an id can compute its hash" in notice for notice in told)
    key = b"a secret of 25 characters"
    records, told = prepared(table, how=Preparation(id_hash=IdHash(key)))
    assert [one.profile for one in records[:7]] == [hmac.new(key, profile.encode(), "sha256").hexdigest()[:32] for profile in BAD_IDS]
    assert not any("hash" in notice for notice in told)


def test_the_documented_hashes_are_right() -> None:
    assert hash_profile_id("jo+tag@example.org") == "126ff2c0dc05aabd02d1f46e9cdc3412"
    script = (
        'const { createHmac } = require("crypto"); const id = " jo+tag@example.org\\u00a0Zoe\\u0308 \\u200b", key = "0123456789abcdef";'
    )
    documented = re.search(r"```js\n(.*)\n```", (ROOT / "docs" / "bring-your-own.md").read_text(encoding="utf-8"))
    assert documented
    ran = subprocess.run(["node", "-p", f"{script} {documented[1]}"], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == hash_profile_id(" jo+tag@example.org\u00a0Zoe\u0308 \u200b", b"0123456789abcdef")


def test_the_command_hashes_ids_under_a_key(tmp_path: Path) -> None:
    table = write_table(tmp_path, [("jo+tag@example.org", f"text {place}", str(place % 2)) for place in range(10)])
    out, key = tmp_path / "out.jsonl", tmp_path / "id.key"
    key.write_text("0123456789abcdef\n", encoding="utf-8")
    assert prepare_command(table, "--out", out, "--hash-ids", "--id-key-file", key)[0] == 0
    expected = hmac.new(b"0123456789abcdef", b"jo+tag@example.org", "sha256").hexdigest()[:32]
    assert {one.profile for one in read_records(out).values()} == {expected}
    key.write_text("short\n", encoding="utf-8")
    for arguments, said in (
        (("--hash-ids", "--id-key-file", key), "has 5 bytes, fewer than 16"),
        (("--hash-ids", "--id-key-file", tmp_path / "none"), "cannot be read: No such file"),
        (("--id-key-file", key), "--id-key-file is for --hash-ids"),
        (("--split", "part", "--new-split"), "exclude each other"),
    ):
        status, _, errors = prepare_command(table, "--out", out, *arguments)
        assert (status, said in errors) == (1, True), errors
