import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from xpeft.pool import PoolShape, default_scale, sign_bits, sign_pool

shapes = st.builds(PoolShape, st.integers(1, 3), st.integers(1, 9), st.integers(1, 5), st.integers(1, 6), st.just(1))


@given(shapes, st.integers(0, 2**53), st.floats(0.01, 1))
@settings(max_examples=50, deadline=None)
def test_entries_are_the_bits_in_the_order_of_the_format(shape: PoolShape, seed: int, scale: float) -> None:
    bits, pool = sign_bits(seed, shape), sign_pool(seed, shape, scale).numpy()
    for entry in range(shape.hidden * shape.bottleneck):
        bit = bits[..., entry >> 3] >> (entry & 7) & 1
        np.testing.assert_allclose(pool[..., entry], np.where(bit, scale, -scale), rtol=1e-6)


def test_a_seed_means_one_pool_and_another_seed_another() -> None:
    shape = PoolShape(2, 8, 4, 3, 1)
    assert (sign_bits(5, shape) == sign_bits(5, shape)).all()
    assert (sign_bits(5, shape) != sign_bits(6, shape)).any()


def test_a_longer_pool_starts_with_the_shorter_one() -> None:
    short, long = sign_bits(0, PoolShape(1, 8, 4, 3, 1)), sign_bits(0, PoolShape(2, 8, 4, 3, 1))
    assert (long[:1] == short).all()


def test_merged_weights_have_berts_spread() -> None:
    pool = sign_pool(0, PoolShape(1, 64, 24, 100, 50), default_scale(50))
    assert abs(pool[0, 0, :50].mean(0).std().item() - 0.02) < 0.001
