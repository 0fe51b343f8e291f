from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from xpeft.records import Record
from xpeft.splits import drop_rare, split_texts, text_key


def record(profile: str, text: str, label: str = "x", **more: str) -> Record:
    return Record.model_validate({"profile": profile, "text": text, "label": label, "split": "train", **more})


@given(counts=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 40), min_size=1), seed=st.integers(0, 9))
def test_each_profile_keeps_texts_to_learn_from(counts: dict[str, int], seed: int) -> None:
    records = [record(profile, f"{profile}{place}") for profile, count in counts.items() for place in range(count)]
    split = split_texts(records, 0.1, 0.2, seed)
    assert [one.text for one in split] == [one.text for one in records]
    for profile, count in counts.items():
        of = Counter(one.split for one in split if one.profile == profile)
        assert of["train"] >= 1
        assert abs(of["test"] - 0.2 * count) <= 1
        assert abs(of["dev"] - 0.1 * count) <= 1
    # Another profile's texts change nothing: files that grow keep their splits.
    first = next(iter(counts))
    alone = split_texts([one for one in records if one.profile == first], 0.1, 0.2, seed)
    assert alone == [one for one in split if one.profile == first]


# Few texts and profiles, so that texts are equal, and labels with few texts, as in tables with a long tail.
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.integers(0, 30)), min_size=1, max_size=80)


@given(rows=ROWS, dev=st.floats(0, 0.5), test=st.floats(0, 0.5), group=st.booleans())
def test_labels_and_profiles_keep_a_text_in_train_and_equal_texts_stay_together(
    rows: list[tuple[str, int, int]], dev: float, test: float, group: bool
) -> None:
    records = [record(profile, f" text {text}" + " " * (label % 2), f"label {label}") for profile, text, label in rows]
    split = split_texts(records, dev, test, 0, group)
    train = [one for one in split if one.split == "train"]
    assert {one.label for one in train} == {one.label for one in records}
    assert {one.profile for one in train} == {one.profile for one in records}
    splits_of = defaultdict(set)
    for one in split:
        splits_of["" if group else one.profile, text_key(one)].add(one.split)
    assert all(len(splits) == 1 for splits in splits_of.values())


def test_repeated_texts_leave_the_sizes_of_splits_as_wanted() -> None:
    # Twenty texts, each five times: test and dev are nearest to 20 and 10 with whole groups of five.
    split = split_texts([record("a", f"text {place % 20}") for place in range(100)], 0.1, 0.2, 0)
    assert Counter(one.split for one in split) == {"train": 70, "test": 20, "dev": 10}


def test_texts_of_all_profiles_keep_their_share_of_each_split_in_groups() -> None:
    records = [record(profile, f"text {place}") for profile in "abcde" for place in range(50)]
    split = split_texts(records, 0.1, 0.2, 0, group=True)
    for profile in "abcde":
        assert Counter(one.split for one in split if one.profile == profile) == {"train": 35, "test": 10, "dev": 5}


def test_a_second_text_makes_texts_different() -> None:
    assert text_key(record("a", "t", text_pair="u")) != text_key(record("a", "t", text_pair="v"))
    assert text_key(record("a", "t ", text_pair=" ")) == text_key(record("a", "t"))
    assert text_key(record("a", "t", text_pair="u"), pair=False) == text_key(record("a", "t"), pair=False)


def test_rare_labels_and_profiles_are_dropped_until_none_is_rare() -> None:
    # Without label y, profile b has one text; without profile b, label x has two.
    rows = [("a", "x"), ("a", "x"), ("b", "x"), ("b", "y"), ("a", "z"), ("a", "z"), ("a", "z")]
    records = {number: record(profile, f"t{number}", label) for number, (profile, label) in enumerate(rows)}
    assert list(drop_rare(records, 0, 0)) == list(range(7))
    assert list(drop_rare(records, 2, 0)) == [0, 1, 2, 4, 5, 6]
    assert list(drop_rare(records, 3, 2)) == [4, 5, 6]
    # With given splits, training texts count.
    given_splits = {1: record("a", "t", "x"), 2: record("a", "u", "y", split="test"), 3: record("b", "v", "x", split="dev")}
    assert list(drop_rare(given_splits, 1, 0)) == [1, 3]
    assert list(drop_rare(given_splits, 1, 1)) == [1]
