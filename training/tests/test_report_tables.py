"""Tables of the report, made from a few small made-up runs."""

from typing import Any

import numpy as np

from tests.made_up_runs import figures, record, table, three
from xpeft.bootstrap import mean_estimate, paired_difference
from xpeft.report.tables import data_tables, search_table, suite_table


def test_parts_and_few_seeds_are_marked() -> None:
    runs = [*three("news", "hard", 0.7), *three("news", "head", 0.6)[:1], *three("news", "adapter", 0.5, slice="20 profiles")]
    text = data_tables(table(runs))
    assert "| 3 | 70.0 (" in text and "| 1‡ | 59.0 (" in text
    assert "### news, test, 20 profiles †" in text and "| 3† | 50.0 (" in text
    runs = [*three("glue/mrpc", "hard", 0.7, slice="100 texts"), *three("glue/rte", "hard", 0.6)[:2]]
    suite = suite_table(table([one.model_copy(update={"profileCount": 1}) for one in runs]))
    assert "| 70.0† | 59.5‡ |" in suite
    assert "mrpc: 100 texts" in suite


def test_tables_have_the_interval_of_each_figure_and_difference() -> None:
    right = {"profile": [[15, 12, 18], [16, 12, 17]], "head": [[14, 11, 18], [14, 12, 17]]}
    runs = [
        record("news", method, seed, 0.7, profiles=figures(np.array(one), 20), settingsTried=3)
        for method, of_seeds in right.items()
        for seed, one in enumerate(of_seeds)
    ]
    found, gain = mean_estimate(np.array(right["head"]) / 20), paired_difference(*(np.array(one) / 20 for one in right.values()))
    head, less = ([f"{100 * figure:.1f}" for figure in one] for one in (found, gain))
    row = f"| head | – | 0 | 100 | 3 | 2‡ | {head[0]} ({head[1]} to {head[2]}) | +{less[0]} (+{less[1]} to +{less[2]}) |"
    assert row in data_tables(table(runs))


def test_an_error_has_its_interval_the_right_way_up() -> None:
    mae = {"name": "mae", "value": 0.5, "higherIsBetter": False}
    runs = [
        record("offense", "profile", seed, 0.5, metric=mae, profiles=figures(np.array([5, 5]), 10) | {"absoluteErrors": [4.0, 6.0]})
        for seed in (0, 1)
    ]
    text = data_tables(table(runs))
    assert "mae x 100 (less is better)" in text and "| 50.0 (40.0 to 60.0) |" in text


def test_the_whole_set_stands_before_a_part_of_it() -> None:
    runs = [*three("glue/mrpc", "hard", 0.7), *three("glue/mrpc", "hard", 0.8, slice="100 texts")]
    suite = suite_table(table([one.model_copy(update={"profileCount": 1}) for one in runs]))
    assert "| 70.0 |" in suite and "80.0" not in suite


def test_a_search_shows_what_was_tried_and_the_best() -> None:
    error = {"name": "mae", "higherIsBetter": False}
    tried = [
        record(
            "news",
            "hard",
            0,
            0.5,
            purpose="search",
            recipe={"lr": lr, "epochs": 4},
            metric={**error, "value": 1 - value},
            crossEntropy=value,
        )
        for lr, value in ((0.1, 0.7), (0.2, 0.6))
    ]
    assert "| lr 0.1: 0.700; **lr 0.2: 0.600** |" in search_table(table(tried))


def test_a_search_shows_settings_that_are_no_numbers_and_runs_without_cross_entropy() -> None:
    recipes: list[dict[str, Any]] = [{"lr": 0.1, "pool": {"size": 8}}, {"lr": 0.1, "pool": {"size": 9}}, {"lr": 0.1}]
    tried = [
        record("news", "hard", 0, 0.5, purpose="search", recipe=recipe, crossEntropy=value)
        for recipe, value in zip(recipes, (0.7, 0.6, None), strict=True)
    ]
    shown = search_table(table(tried))
    assert all(text in shown for text in ('pool {"size": 8}: 0.700', '**pool {"size": 9}: 0.600**', "pool null: inf"))
