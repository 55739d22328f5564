"""Folders of photos that tests make."""

import numpy as np
import pytest
from PIL import Image as PillowImage


@pytest.fixture
def make_photos(tmp_path):
    """A function (count, height, width) -> a folder of noisy photos, which compress badly, as real ones do."""

    def make(count, height=200, width=208):
        folder = tmp_path / f"photos{count}"
        folder.mkdir()
        for index in range(count):
            pixels = np.random.default_rng(index).integers(60, 200, (height, width, 3)).astype(np.uint8)
            PillowImage.fromarray(pixels).save(folder / f"photo{index:02}.jpg", quality=90)
        return folder

    return make
