"""A visit from the first drop to the last file, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

import quietlight as ql
from quietlight.web import actions as module
from quietlight.web.drawing import changes
from quietlight.web.show import cards, state_of


def states(room) -> list[str]:
    return [state_of(item, room)[0] for item in room.items.values()]


@pytest.fixture
def broken(tmp_path) -> Path:
    path = tmp_path / "broken.dng"
    path.write_bytes(b"II*\0garbage")
    return path


def test_a_photo_a_burst_and_a_broken_file(actions, desk, upload, rooms, noisy_photo, shoot, tmp_path, broken):
    shots = [shoot(tmp_path / f"shot{i}.dng", taken=f"2026:05:01 12:00:0{i}") for i in range(3)]
    room = actions.take("a", upload(broken, noisy_photo, *shots), "auto")
    assert [item.title for item in room.items.values()] == ["broken.dng", "photo.png", "shot0.dng"]
    assert states(room) == ["refused", "looking", "looking"]
    assert "burst of 3" in cards(room)
    assert room.current.title == "photo.png"
    assert not [path for path in rooms.uploads.rglob("*") if path.is_file()]
    desk.work()
    assert states(room) == ["refused", "ready", "ready"]
    actions.make_all("a")
    assert states(room) == ["refused", "working", "working"]
    desk.work()
    assert states(room) == ["refused", "made", "made"]
    assert [list(item.made) for item in room.items.values()] == [[], ["photo_clean.png"], ["shot0.jpg"]]


def test_a_burst_can_be_told_and_untold(actions, upload, shoot, tmp_path):
    shots = [shoot(tmp_path / f"s{i}.dng", scene=i, taken=None) for i in range(2)]
    assert len(actions.take("a", upload(*shots), "on").items) == 1
    assert len(actions.take("b", upload(*shots), "off").items) == 2


def test_controls_set_the_picture_they_stood_for(actions, desk, upload, raw, noisy_photo):
    room = actions.take("a", upload(noisy_photo, raw), "auto")
    desk.work()
    photo, other = room.items
    actions.choose("a", other)
    actions.wish("a", photo, ".tif", 0.5, 0.25, 0.0)
    actions.wish("a", other, ".webp", 0.75, 1.0, 9.0)
    assert (room.items[photo].wishes.suffix, room.items[photo].wishes.strength) == (".tif", 0.5)
    assert (room.items[other].wishes.suffix, room.items[other].wishes.exposure) == (".jpg", 4.0)


def test_a_file_in_the_making_can_be_cancelled(actions, desk, upload, noisy_photo, monkeypatch):
    room = actions.take("a", upload(noisy_photo), "auto")
    desk.work()
    (key,) = room.items
    actions.make("a")
    actions.make("a")
    assert len(desk.waiting) == 1
    actions.cancel("a", key)
    desk.work()
    assert not room.items[key].made

    def make(job, wishes, folder, tell):
        (folder / "half.png").write_bytes(b"half")
        actions.cancel("a", key)
        tell(0.5)

    monkeypatch.setattr(module, "make", make)
    actions.make("a")
    desk.work()
    assert states(room) == ["ready"]
    assert not list(room.folder.rglob("half.png"))
    actions.cancel("a", "nothing")


def test_what_fails_is_told_in_one_line(actions, desk, upload, noisy_photo):
    room = actions.take("a", upload(noisy_photo), "auto")
    desk.work()
    item = room.current
    item.job.source.write_bytes(b"\x89PNG\r\n\x1a\n broken since")
    actions.make("a")
    desk.work()
    state, said = state_of(item, room)
    assert state == "refused"
    assert str(room.folder) not in said
    assert "\n" not in said


def test_another_part_is_looked_at(actions, desk, upload, noisy_photo):
    room = actions.take("a", upload(noisy_photo), "auto")
    actions.move("a", 0.5, 0.5)
    assert len(desk.waiting) == 1
    desk.work()
    earlier = room.current.view
    actions.move("a", 99.0, -99.0)
    desk.work()
    assert room.current.view is not earlier


def test_only_uploads_are_taken(actions, rooms, upload, noisy_photo, tmp_path):
    actions.take("a", upload(noisy_photo), "auto")
    theirs = next(iter(rooms.of("a").items.values())).job.source
    link = rooms.uploads / "link.png"
    link.symlink_to(noisy_photo)
    for path in (noisy_photo, theirs, link, rooms.uploads / ".." / ".." / "x", rooms.uploads, Path("/etc/passwd")):
        with pytest.raises(ql.UnusableInput, match="was not uploaded here"):
            actions.take("b", [str(path)], "auto")
    assert noisy_photo.exists()
    assert theirs.exists()
    assert not rooms.of("b").items


def test_nobody_acts_on_the_pictures_of_others(actions, desk, upload, noisy_photo):
    mine = actions.take("a", upload(noisy_photo), "auto")
    desk.work()
    (key,) = mine.items
    for act in (
        lambda: actions.choose("b", key),
        lambda: actions.forget("b", key),
        lambda: actions.cancel("b", key),
        lambda: actions.wish("b", key, ".jpg", 0.0, 0.0, 0.0),
        lambda: actions.make("b"),
        lambda: actions.move("b", 0.1, 0.1),
    ):
        assert not act().items
    assert mine.items[key].wishes.strength == 1.0
    assert not desk.waiting
    assert changes(actions.see("b"))["cards"]["value"].count("<li") == 0


def test_too_much_is_refused_before_it_is_looked_at(actions, rooms, upload, noisy_photo, tmp_path):
    copies = [tmp_path / f"c{i}.png" for i in range(7)]
    for copy in copies:
        copy.write_bytes(noisy_photo.read_bytes())
    room = actions.take("a", upload(*copies), "off")
    assert "no more than 6 files" in room.notice
    assert not room.items
    assert not [path for path in rooms.uploads.rglob("*") if path.is_file()]
    actions.take("a", upload(*copies[:5]), "off")
    assert room.notice == ""
    assert len(room.items) == 5
