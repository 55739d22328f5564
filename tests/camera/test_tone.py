"""Every curve is undone by its inverse, rises, and keeps its ends."""

from collections.abc import Callable

import numpy as np
import pytest

from quietlight.camera import tone

GRID = np.linspace(0.001, 0.999, 500)
PAIRS = [
    (tone.srgb_encode, tone.srgb_decode),
    (tone.gamma, tone.undo_gamma),
    (tone.smoothstep, tone.undo_smoothstep),
    (tone.neutral, tone.undo_neutral),
]
Curve = Callable[[np.ndarray], np.ndarray]


@pytest.mark.parametrize(("curve", "inverse"), PAIRS, ids=lambda f: f.__name__)
def test_inverse_undoes_the_curve(curve: Curve, inverse: Curve) -> None:
    np.testing.assert_allclose(inverse(curve(GRID)), GRID, atol=1e-9)
    np.testing.assert_allclose(curve(inverse(GRID)), GRID, atol=1e-9)


@pytest.mark.parametrize(("curve", "inverse"), PAIRS, ids=lambda f: f.__name__)
def test_curve_rises(curve: Curve, inverse: Curve) -> None:
    assert (np.diff(curve(GRID)) > 0).all()


@pytest.mark.parametrize("white", [1.0, 2.0, 16.0])
def test_neutral_keeps_black_mid_gray_and_white(white: float) -> None:
    ends = tone.neutral(np.array([-0.1, 0.0, tone.MID_GRAY, white, 2 * white]), white)
    np.testing.assert_allclose(ends, [0, 0, tone.srgb_encode(np.array(tone.MID_GRAY)), 1, 1], atol=1e-12)
    np.testing.assert_allclose(tone.undo_neutral(tone.neutral(GRID * white, white), white), GRID * white, rtol=1e-9)
