import torch

from xpeft.profile_model import look_up
from xpeft.row_adam import RowAdam


def test_a_row_moves_as_under_a_separate_adam_and_only_with_a_gradient() -> None:
    source = torch.Generator().manual_seed(0)
    start = torch.randn(3, 4, generator=source)
    table = torch.nn.Parameter(start.clone())
    optimizer = RowAdam([table], lr=0.1)
    alone = [torch.nn.Parameter(row.clone()) for row in start]
    adams = [torch.optim.Adam([row], lr=0.1) for row in alone]
    # Row 1 comes late, row 0 twice in one step, row 2 never.
    for rows in ([0], [0, 0], [0], [1, 0], [1]):
        before = table.detach().clone()
        targets = torch.randn(len(rows), 4, generator=source)
        (look_up(table, torch.tensor(rows)) * targets).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        for row in range(3):
            if row in rows:
                alone[row].grad = sum((target for place, target in zip(rows, targets, strict=True) if place == row), torch.zeros(4))
                adams[row].step()
            else:
                assert torch.equal(table[row], before[row])
    torch.testing.assert_close(table.detach(), torch.stack([row.detach() for row in alone]))
    assert torch.equal(table[2], start[2])
