"""Networks whose parameters are not what they begin with."""

import pytest
import torch


@pytest.fixture
def stirred():
    def stirred(network, scale=0.2):
        """The network with random parameters and statistics, since fresh ones are often zero."""
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for name, value in network.state_dict().items():
                if value.is_floating_point():
                    noise = scale * torch.randn(value.shape, generator=generator)
                    value.copy_(1 + noise.abs() if "var" in name else value + noise)
        return network.eval()

    return stirred
