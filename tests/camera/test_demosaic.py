"""Our Malvar demosaic against colour-demosaicing's, and its laws."""

import numpy as np
import pytest

from quietlight.camera.demosaic import demosaic
from quietlight.camera.unprocess import mosaic
from quietlight.frames import BAYER

colour_demosaicing = pytest.importorskip("colour_demosaicing")


@pytest.mark.parametrize("cfa", BAYER)
def test_equals_the_oracle_inside_the_border(cfa: str) -> None:
    raw = np.random.default_rng(1).random((24, 30))
    oracle = colour_demosaicing.demosaicing_CFA_Bayer_Malvar2004(raw, cfa)
    np.testing.assert_allclose(demosaic(raw, cfa)[2:-2, 2:-2], oracle[2:-2, 2:-2], atol=1e-12)


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (2, 2), (3, 3), (5, 8), (9, 7)])
def test_keeps_the_measured_pixels_and_a_flat_gray_at_any_size(cfa: str, size: tuple[int, int]) -> None:
    raw = np.random.default_rng(2).random(size).astype(np.float32)
    rgb = demosaic(raw, cfa)
    assert rgb.shape == (*size, 3)
    assert rgb.dtype == np.float32
    np.testing.assert_array_equal(mosaic(rgb, cfa), raw)
    if min(size) > 1:
        np.testing.assert_allclose(demosaic(np.full(size, 0.4), cfa), 0.4)
