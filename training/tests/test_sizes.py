from typer.testing import CliRunner

from xpeft.cli import app
from xpeft.pool import PoolShape
from xpeft.sizes import sizes


def test_sizes_are_the_papers_at_the_papers_shape() -> None:
    # bert-base, b = 48: X-PEFT trains 2(N + b)L numbers a profile and stores ceil(N/8) bytes a mask.
    for pool, parameters, masks in ((100, 3_552, 312), (200, 5_952, 600), (400, 10_752, 1_200)):
        adapter, soft, hard, served = sizes(PoolShape(12, 768, 48, pool, 50))
        assert (adapter.parameters, adapter.bytes) == (894_528, 3_578_112)
        assert soft.parameters == hard.parameters == parameters
        assert soft.bytes == 4 * parameters
        assert served.bytes == masks
        assert hard.bytes == masks + 4 * 2 * 48 * 12
        # About 10^2 fewer parameters and 10^4 fewer bytes than adapter tuning.
        assert 80 <= adapter.parameters / parameters <= 260
        assert 2_900 <= adapter.bytes / served.bytes <= 11_500


def test_the_command_prints_them() -> None:
    result = CliRunner().invoke(app, ["sizes"])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1 + 1 + 3 * 3
    assert "hard masks, N = 100, as served             2,400         312" in result.stdout
    assert "373 parameters, 11,468 bytes" in result.stdout
    small = CliRunner().invoke(app, ["sizes", "--layers", "6", "--hidden", "384", "--bottleneck", "24", "--pool-size", "100"]).stdout
    assert "1,200         156" in small
    last = CliRunner().invoke(app, ["sizes", "--layers", "6", "--hidden", "384", "--pool-size", "100", "--personal-layers", "1"]).stdout
    assert "hard masks, N = 100, as in the paper       1,776       2,460" in last
    assert "hard masks, N = 100, as served               200          26" in last
    wrong = CliRunner().invoke(app, ["sizes", "--layers", "6", "--personal-layers", "7"])
    assert wrong.exit_code == 1
    assert "hint: Give --personal-layers up to 6." in wrong.output
