"""A visit in a real browser, from the empty page to files that equal the command line's."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import quietlight as ql
from quietlight.batch.places import JOURNAL

pytest.importorskip("gradio", reason="the extra [web] is not installed: make test-web installs it and runs these")

from .conftest import started  # after the check


def by_command(command: str, folder: Path) -> bytes:
    """What the command that the page shows writes, run where the files lie."""
    program, *arguments = shlex.split(command)
    assert program == "quietlight"
    subprocess.run([sys.executable, "-m", "quietlight", *arguments], cwd=folder, check=True, capture_output=True)
    (made,) = (path for path in (folder / "clean").iterdir() if path.name != JOURNAL)
    content = made.read_bytes()
    made.unlink()
    return content


@pytest.fixture
def broken(tmp_path) -> Path:
    path = tmp_path / "broken.dng"
    path.write_bytes(b"II*\0garbage")
    return path


@pytest.fixture
def shots(shoot, tmp_path) -> list[Path]:
    return [shoot(tmp_path / f"shot{i}.dng", taken=f"2026:05:01 12:00:0{i}", moved=(i, 2 * i)) for i in range(3)]


def test_from_the_drop_to_the_file(visit, noisy_photo, raw, broken, shots, tmp_path, screenshots):
    visitor = visit()
    visitor.page.screenshot(path=screenshots / "desktop-1-empty.png")
    visitor.drop(noisy_photo, raw, broken, *shots)
    visitor.page.wait_for_selector(".card")
    visitor.page.screenshot(path=screenshots / "desktop-2-looking.png")
    visitor.settle()
    assert "refused" in visitor.card("broken.dng").get_attribute("class")
    assert "damaged" in visitor.card("broken.dng").inner_text()
    assert "burst of 3" in visitor.card("shot0.dng").inner_text()
    assert "Found 1 noise: gaussian" in visitor.page.inner_text("#ql-report")
    assert not visitor.page.is_visible("#ql-exposure")

    curtain = visitor.page.locator("#ql-viewer .frame input")
    box = visitor.page.locator("#ql-viewer .frame").bounding_box()
    visitor.page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 40)
    assert float(curtain.input_value()) == pytest.approx(80, abs=3)
    visitor.set("strength", 0.6)
    assert float(curtain.input_value()) == pytest.approx(80, abs=3)
    visitor.page.screenshot(path=screenshots / "desktop-3-photo.png", full_page=True)
    visitor.make("photo_clean.png")
    made = visitor.download("photo_clean.png", tmp_path / "downloads")
    assert "--strength 0.6" in visitor.command()
    assert made.read_bytes() == by_command(visitor.command(), tmp_path)

    visitor.choose("raw.dng")
    assert visitor.page.is_visible("#ql-exposure")
    assert float(visitor.page.input_value("#ql-strength input[type=number]")) == 1
    visitor.set("exposure", -0.5)
    visitor.set("chroma", 0.7)
    for label, name in (("TIFF", "raw.tif"), ("DNG", "raw_clean.dng")):
        visitor.file(label)
        visitor.make(name)
        made = visitor.download(name, tmp_path / "downloads")
        assert made.read_bytes() == by_command(visitor.command(), tmp_path)
        assert isinstance(ql.read(made), ql.Image if name.endswith("tif") else ql.RawFrame)
    visitor.page.screenshot(path=screenshots / "desktop-4-raw.png", full_page=True)

    visitor.choose("shot0.dng")
    visitor.make("shot0.jpg")
    made = visitor.download("shot0.jpg", tmp_path / "downloads")
    assert made.read_bytes() == by_command(visitor.command(), tmp_path)
    assert "3 frames merged" in visitor.page.inner_text("#ql-report")
    visitor.page.screenshot(path=screenshots / "desktop-5-burst.png", full_page=True)
    visitor.card("shot0.dng").locator(".away").click()
    visitor.page.wait_for_function("document.querySelectorAll('.card').length == 3")


def test_what_is_removed_is_shown_around_gray(visit, noisy_photo, screenshots):
    visitor = visit()
    visitor.drop(noisy_photo)
    visitor.settle()
    visitor.page.click("text=What is removed")
    pixels = visitor.page.evaluate(
        "() => { const c = document.querySelector('#ql-viewer canvas');"
        "return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data) }"
    )
    shown = np.reshape(pixels, (150, 200, 4))[..., :3].astype(int)
    photo = ql.read(noisy_photo)
    removed = photo.pixels.astype(int) - ql.denoise(photo).pixels
    np.testing.assert_allclose(shown, np.clip(128 + 4 * removed, 0, 255), atol=4)
    visitor.page.screenshot(path=screenshots / "desktop-6-removed.png", full_page=True)


@pytest.mark.parametrize("exposed", [0, 3])
def test_pictures_are_shown_without_loss_and_unscaled(visit, raw, exposed):
    visitor = visit()
    visitor.drop(raw)
    visitor.settle()
    if exposed:
        visitor.set("exposure", exposed)
    shown, natural = visitor.page.evaluate(
        "() => { const i = document.querySelector('#ql-viewer .after'), b = i.getBoundingClientRect();"
        "return [[b.width, b.height], [i.naturalWidth, i.naturalHeight]] }"
    )
    assert shown == natural == [148, 210]


def test_another_part_is_shown_where_the_whole_is_clicked(visit, tmp_path, screenshots):
    path = tmp_path / "large.png"
    y, x = np.mgrid[:1200, :1600] / 90
    noise = np.random.default_rng(0).normal(0, 0.08, (1200, 1600))
    ql.write(
        ql.Image(np.rint(255 * np.clip(0.5 + 0.3 * np.sin(x) * np.cos(y) + noise, 0, 1)).astype(np.uint8)[..., None]),
        path,
    )
    visitor = visit(390, 844, has_touch=True, is_mobile=True)
    visitor.page.screenshot(path=screenshots / "phone-1-empty.png")
    visitor.drop(path)
    visitor.settle()
    earlier = visitor.after()
    visitor.page.locator("#ql-viewer .whole").click(position={"x": 4, "y": 4})
    visitor.page.wait_for_function("e => document.querySelector('#ql-viewer .after').src !== e", arg=earlier)
    place = visitor.page.evaluate("() => document.querySelector('#ql-viewer .whole i').style.cssText")
    assert re.search(r"left: 0%", place)
    assert re.search(r"top: 0%", place)
    visitor.page.screenshot(path=screenshots / "phone-2-photo.png", full_page=True)
    wide = visitor.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 390

    visitor.page.click("#ql-make")
    visitor.page.click("#ql-work >> text=Cancel")
    visitor.page.wait_for_selector("text=Cancelled.")
    assert not visitor.page.query_selector(".files a")


def test_two_visitors_do_not_see_each_other(visit, noisy_photo, raw, server):
    one, other = visit(), visit(820, 1180)
    one.drop(noisy_photo)
    one.settle()
    one.make("photo_clean.png")
    assert other.page.locator(".card").count() == 0
    other.drop(raw)
    other.settle()
    assert other.card("photo.png").count() == 0
    assert one.card("raw.dng").count() == 0
    link = one.page.get_attribute(".files a", "href")
    assert len(link.removeprefix("/download/")) >= 40
    assert other.page.request.get(f"{server.url}{link[:-1]}").status == 404


def test_a_closed_page_and_the_end_leave_nothing(visit, noisy_photo, tmp_path):
    limits = "Limits(files=3, file_bytes=200_000, bytes=2_000_000, grace=1.0)"
    code = (
        "from quietlight.web.intake import Limits; from quietlight.web.server import serve;"
        f"serve('127.0.0.1', 0, {limits}, lambda a: print(a, flush=True))"
    )
    running = started(tmp_path / "tmp", "-c", code)
    try:
        visitor = visit(url=running.url)
        visitor.drop(noisy_photo)
        visitor.settle()
        assert list(running.temporary.rglob("photo.png"))

        large = tmp_path / "large.tif"
        large.write_bytes(b"II*\0" + bytes(300_000))
        visitor.drop(large)
        visitor.page.wait_for_selector("text=maximum allowed size")
        visitor.page.close()
        for _ in range(100):
            if not list(running.temporary.rglob("*.png")):
                break
            wait()
        assert not list(running.temporary.rglob("*.png"))
        again = visit(url=running.url)
        again.drop(noisy_photo)
        again.settle()
    finally:
        running.stop()
    assert not list(running.temporary.iterdir())


def wait() -> None:
    import time

    time.sleep(0.2)


def test_a_port_that_is_taken_is_told_in_one_line():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        for arguments, said in (
            (["--port", str(door.getsockname()[1])], "is taken"),
            (["--host", "192.0.2.1", "--port", "0"], "address of this machine"),
        ):
            command = [sys.executable, "-m", "quietlight", "serve", *arguments]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            assert result.returncode == 1
            assert said in result.stderr
            assert len(result.stderr.strip().splitlines()) == 1
