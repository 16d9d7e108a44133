"""The recurrent network answers after the last step, and each series by itself."""

import torch

from igteach.models.series import SeriesGRU


def test_the_answer_is_read_from_the_state_after_the_last_step():
    torch.manual_seed(0)
    network, x = SeriesGRU(5).eval(), torch.randn(3, 7, 1)
    with torch.no_grad():
        _, last = network.gru(x)
        torch.testing.assert_close(network(x), network.head(last[0])[:, 0])
        torch.testing.assert_close(network(x)[1:2], network(x[1:2]))
