"""A pack holds one part of a folder, and gives it back."""

import numpy as np
import pytest
from typer.testing import CliRunner

from quietlight import zoo
from quietlight.cli.synthesize import byte_count, synthesize
from quietlight.data.pack import QUALITIES, located, photo_files, read_photos, write_pack
from quietlight.frames import UnusableInput
from quietlight.metrics import psnr


def test_every_sixteenth_photo_is_for_validation(make_photos):
    folder = make_photos(35, 8, 8)
    held_out, training = ([path.name for path in photo_files(folder, part)] for part in (True, False))
    assert held_out == ["photo00.jpg", "photo16.jpg", "photo32.jpg"]
    assert sorted(held_out + training) == sorted(path.name for path in folder.iterdir())
    with pytest.raises(UnusableInput, match=r"no \.jpg photo for training"):
        photo_files(make_photos(1, 8, 8), False)


@pytest.mark.parametrize("gray", [True, False])
@pytest.mark.parametrize("validation", [True, False])
def test_a_pack_gives_back_the_photos_that_went_in(make_photos, tmp_path, gray, validation):
    folder, out = make_photos(18, 40, 48), tmp_path / "out.pack"
    shares = []
    quality = write_pack(folder, out, validation, 1 << 22, shares.append)
    assert quality == QUALITIES[1]  # all fits
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    before, after = (list(read_photos(place, validation, gray)) for place in (folder, out))
    assert len(before) == len(after) == (2 if validation else 16)
    for a, b in zip(before, after, strict=True):
        assert a.dtype == b.dtype == np.uint8
        assert a.shape == b.shape == (40, 48, 1 if gray else 3)
        assert psnr(b / 255, a / 255) > 28
    with pytest.raises(UnusableInput, match="a pack of the"):
        next(read_photos(out, not validation, gray))


def test_the_quality_is_the_best_that_fits(make_photos, tmp_path):
    folder = make_photos(4, 160, 160)
    most = tmp_path / "most.pack"
    write_pack(folder, most, False, 1 << 22)
    limit = most.stat().st_size * 2 // 3
    quality = write_pack(folder, tmp_path / "less.pack", False, limit)
    assert QUALITIES[0] < quality < QUALITIES[1]
    assert 0.9 * limit < (tmp_path / "less.pack").stat().st_size <= limit
    with pytest.raises(UnusableInput, match="do not fit"):
        write_pack(folder, tmp_path / "none.pack", False, 2000)
    assert not (tmp_path / "none.pack").exists()


def test_what_holds_no_photos_is_refused(make_photos, tmp_path, monkeypatch):
    (tmp_path / "text.pack").write_text("not a pack")
    with pytest.raises(UnusableInput, match="neither a folder of photos nor a pack"):
        next(read_photos(tmp_path / "text.pack", False, True))
    zoo.store(tmp_path / "broken.pack", {"a.jpg": np.zeros(9, np.uint8)}, {"part": "training"})
    with pytest.raises(UnusableInput, match=r"broken\.pack: a\.jpg: cannot be read as a photo"):
        next(read_photos(tmp_path / "broken.pack", False, True))
    folder = make_photos(2, 8, 8)
    (folder / "photo01.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(UnusableInput, match=r"photo01\.jpg: cannot be read"):
        next(read_photos(folder, False, True))
    monkeypatch.setenv("QUIETLIGHT_DATA", str(tmp_path))
    assert located("photos2") == folder
    with pytest.raises(UnusableInput, match="elsewhere: no such folder"):
        located("elsewhere")


def test_the_command(make_photos, tmp_path):
    folder, out = make_photos(18, 40, 48), tmp_path / "v.pack"
    arguments = ["pack", str(folder), "--out", str(out), "--part", "validation"]
    result = CliRunner().invoke(synthesize, arguments)
    assert result.exit_code == 0, result.output
    assert "2 photos for validation, JPEG quality 92" in result.output
    assert "exists already" in str(CliRunner().invoke(synthesize, arguments).exception)
    assert [byte_count(text) for text in ("3MiB", "1.5kB", "7 B")] == [3 << 20, 1500, 7]
    with pytest.raises(UnusableInput, match="a size is a number"):
        byte_count("30")
