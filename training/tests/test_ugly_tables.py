"""Whatever table comes, it goes all the way, or the first step that cannot go on says why.

Each table is prepared, checked, trained, pushed to a real Worker, predicted over HTTP, and evaluated in both halves
(table_journey.py). `npm test` tries 200
tables, the same ones each time; `npm run test:long` tries 5,000 new ones. The tables have (ugly_tables.py, ugly_csv.py, ugly_json.py):

- CSV with each separator, line end, quoting and header style, `sep=` lines, columns that nobody needs, blank rows and fields;
  JSON Lines in any order, escaped or not; gzip, byte order marks, and names that say something else;
- texts with quotes, separators, line ends of all kinds, marks without width, emoji, and texts that come twice;
- labels with white space, in NFC and NFD, numbers in several spellings, and names such as nan, inf, 1_000, null and __proto__;
- profiles with any ids, second texts, columns of splits, and the options of `prepare`;
- flaws of rows and of whole files: the message must then name the line and the value.
"""

import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.conftest import build_tiny_bundle, write_tiny_plm
from tests.edge import NODE, Edge
from tests.table_journey import Journey
from tests.ugly_csv import ugly_csv
from tests.ugly_json import ugly_json
from tests.ugly_tables import chance
from xpeft.bundle import load
from xpeft.plm import load_plm

LONG = os.environ.get("XPEFT_LONG") == "1"

pytestmark = [
    pytest.mark.timeout(0 if LONG else 600),
    pytest.mark.skipif(not NODE.exists(), reason="needs the TypeScript half: npm ci"),
]


@pytest.fixture(scope="module")
def plm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny PLM with few tokens: reading 30,000 for each command takes longer than a training."""
    return write_tiny_plm(tmp_path_factory.mktemp("plm") / "small", 5000)


@pytest.fixture(scope="module")
def bundle(plm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle of that PLM."""
    return build_tiny_bundle(plm, tmp_path_factory.mktemp("bundles") / "small")


@pytest.fixture(scope="module")
def edge(bundle: Path) -> Iterator[Edge]:
    """A Worker that serves that bundle."""
    edge = Edge(bundle)
    yield edge
    edge.close()


@pytest.fixture(scope="module", autouse=True)
def quick_training() -> Iterator[None]:
    """Read the PLM once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(load, "load_plm", cache(load_plm))
        yield


@pytest.fixture(scope="module")
def names() -> Iterator[Iterator[str]]:
    """Names of tasks. A new one each time: the Worker caches rows."""
    yield (f"task{number}" for number in range(10**6))


@settings(
    max_examples=5000 if LONG else 200,
    derandomize=not LONG,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(rng=st.randoms(use_true_random=True))
def test_a_table_goes_all_the_way_or_a_step_says_why(rng: Random, edge: Edge, names: Iterator[str], bundle: Path, plm: Path) -> None:
    table = ugly_json(rng) if chance(rng, 3) else ugly_csv(rng)
    note(repr(table))
    with tempfile.TemporaryDirectory() as folder:
        Journey(table, Path(folder), edge, next(names), bundle, plm, rng).go()
