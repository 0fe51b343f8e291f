import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xpeft.data import NEVER
from xpeft.errors import XpeftError
from xpeft.head_change import HeadChange
from xpeft.label_bias import STEP, stored_bias
from xpeft.profile_head import MAX_RANK, ProfileHead, head_bytes_a_profile, unpack_profile_head

# Two labels, d = 3: a label bias, a rank with the scale 1.5, and known labels.
WHOLE = bytes([16, 240, 0, 0, 0xC0, 0x3F, 1, 255, 2, 0, 128, 2])


@st.composite
def heads(draw: st.DrawFn) -> tuple[int, ProfileHead]:
    labels, hidden = draw(st.integers(2, 20)), draw(st.integers(1, 6))
    rank = draw(st.integers(0, MAX_RANK))

    def steps(count: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(-128, 127), min_size=count, max_size=count)), dtype=np.int8)

    scales = draw(st.lists(st.floats(2**-20, 1e3, width=32), min_size=rank, max_size=rank))
    left, right = steps(rank * labels).reshape(rank, labels), steps(rank * hidden).reshape(rank, hidden)
    change = HeadChange(np.array(scales, dtype=np.float32), left, right) if rank else None
    known = torch.tensor(draw(st.lists(st.booleans(), min_size=labels, max_size=labels).filter(any)))
    return hidden, ProfileHead((torch.from_numpy(steps(labels)) * STEP).where(known, NEVER), change)


@given(heads())
def test_what_is_packed_is_read_back(given_head: tuple[int, ProfileHead]) -> None:
    hidden, head = given_head
    blob = head.pack()
    back = unpack_profile_head(blob, len(head.bias), hidden)
    assert torch.equal(back.bias, head.bias)
    assert (back.change is None) == (head.change is None)
    if head.change is not None and back.change is not None:
        for name in ("scale", "left", "right"):
            assert np.array_equal(getattr(back.change, name), getattr(head.change, name))
    assert back.pack() == blob
    if head.change is None:
        assert len(blob) == head_bytes_a_profile(len(head.bias), True, head.has_parts)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=40))
def test_a_stored_bias_is_rounded_to_the_nearest_step_within_the_range(values: list[float]) -> None:
    bias = torch.tensor(values)
    back = unpack_profile_head(ProfileHead(bias).pack(), len(values), 4).bias
    assert torch.equal(back, stored_bias(bias))
    assert ((back - bias.clamp(-128 * STEP, 127 * STEP)).abs() <= STEP / 2).all()


def test_bytes_are_as_the_format_defines_them() -> None:
    assert ProfileHead(torch.tensor([0.0, 0.0625, 7.9375, -8.0, -0.0625, 100.0])).pack() == bytes([0, 1, 127, 128, 255, 127])
    head = unpack_profile_head(WHOLE, 2, 3)
    assert head.bias.tolist() == [NEVER, -1.0]
    assert head.change is not None
    assert torch.equal(head.change.weight(), torch.tensor([[3.0, 0.0, -192.0], [-3.0, 0.0, 192.0]]))
    # The bias of an unknown label is not kept.
    assert head.pack() == bytes([0]) + WHOLE[1:]


@given(st.integers(2, 40), st.integers(1, 12), st.integers(0, 700))
def test_the_length_alone_tells_the_parts_apart(labels: int, hidden: int, length: int) -> None:
    blob = bytes([1] * length)
    fitting = [
        (rank, known)
        for rank in range(MAX_RANK + 1)
        for known in (False, True)
        if labels + rank * (4 + labels + hidden) + known * -(-labels // 8) == length
    ]
    assert len(fitting) <= 1
    if fitting:
        head = unpack_profile_head(blob, labels, hidden)
        assert (0 if head.change is None else len(head.change.scale), not bool(head.known.all())) == fitting[0]
    else:
        with pytest.raises(XpeftError):
            unpack_profile_head(blob, labels, hidden)


@pytest.mark.parametrize(
    ("blob", "fault"),
    [
        (WHOLE[:-2], "10 bytes for 2 labels"),
        (WHOLE[:1], "1 bytes for 2 labels"),
        (WHOLE[:4] + b"\0\0" + WHOLE[6:], "the scale 0.0"),
        (WHOLE[:5] + b"\xbf" + WHOLE[6:], "the scale -1.5"),
        (WHOLE[:5] + b"\x7f" + WHOLE[6:], "the scale nan"),
        (WHOLE[:4] + b"\x80\x7f" + WHOLE[6:], "the scale inf"),
        (WHOLE[:-1] + b"\0", "known labels, but none is set"),
        (WHOLE[:-1] + b"\6", "padding bits are set"),
        (WHOLE[:2] + 9 * WHOLE[2:11], "rank 9, and the most is 8"),
    ],
)
def test_bytes_that_break_the_rules_are_rejected(blob: bytes, fault: str) -> None:
    with pytest.raises(XpeftError, match=fault):
        unpack_profile_head(blob, 2, 3)
