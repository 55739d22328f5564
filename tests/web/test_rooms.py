"""A visitor's folder is for the visitor alone, bounded, and gone when the visitor is."""

import os
import stat
import time

import pytest

import quietlight as ql
from quietlight.web.rooms import Item, Made, Rooms
from quietlight.web.tasks import Task
from quietlight.web.wishes import Wishes


def finished(room, key="k" * 20) -> Made:
    """A room's finished file."""
    path = room.new_folder() / "clean.jpg"
    path.write_bytes(b"clean")
    made = Made(path, key, Wishes(".jpg"), {}, 1.0)
    room.items["one"] = Item("one", "one.jpg", None, made={path.name: made})
    return made


@pytest.mark.skipif(os.name == "nt", reason="has no such modes")
def test_folders_are_private(rooms):
    for folder in (rooms.root, rooms.uploads, rooms.of("a").folder, rooms.of("a").new_folder()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_each_session_has_a_room_of_its_own(rooms):
    assert rooms.of("a") is rooms.of("a")
    assert rooms.of("a").folder != rooms.of("b").folder
    assert "a" not in rooms.of("a").folder.name.split("-")
    assert len(rooms.of("a").folder.name) >= 30


def test_a_file_is_fetched_by_its_key_alone(rooms):
    made = finished(rooms.of("a"))
    assert rooms.made(made.key) == made
    for key in ("", "k", made.key[:-1], "one", "clean.jpg", made.key + "x", "é"):
        assert rooms.made(key) is None


def test_a_room_goes_with_its_visitor_and_comes_back_with_a_reload(rooms, clock):
    made = finished(rooms.of("a"))
    rooms.leave("a")
    clock.now = 9
    assert rooms.of("a").items
    rooms.leave("a")
    clock.now = 20
    rooms.sweep()
    assert not made.path.exists()
    assert rooms.made(made.key) is None
    assert not rooms.of("a").items
    rooms.leave("nobody")


def test_a_room_goes_with_age_and_its_work_with_it(rooms, clock):
    room = rooms.of("a")
    made = finished(room)
    task = room.items["one"].making = Task(lambda tell: None)
    clock.now = 99
    rooms.sweep()
    assert made.path.exists()
    clock.now = 101
    rooms.sweep()
    assert not made.path.exists()
    assert task.state == "cancelled"


def test_everything_goes_at_the_end(rooms):
    finished(rooms.of("a"))
    (rooms.uploads / "x").write_bytes(b"x")
    rooms.close()
    assert not rooms.root.exists()


def test_uploads_that_nobody_claims_go(rooms):
    old, new = rooms.uploads / "old", rooms.uploads / "new"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    past = time.time() - 60
    os.utime(old, (past, past))
    rooms.sweep()
    assert not old.exists()
    assert new.exists()


def test_no_more_visitors_than_there_is_room_for(limits, clock):
    rooms = Rooms(limits, clock)
    try:
        for name in "abc":
            rooms.of(name)
        with pytest.raises(ql.UnusableInput, match="too many visitors"):
            rooms.of("d")
        clock.now = 101
        rooms.of("d")
    finally:
        rooms.close()


def test_a_room_is_bounded(rooms):
    room = rooms.of("a")
    room.check_room_for(6, 8 << 20)
    with pytest.raises(ql.UnusableInput, match="no more than 6 files"):
        room.check_room_for(7, 0)
    finished(room)
    with pytest.raises(ql.UnusableInput, match="no more than 8 MB"):
        room.check_room_for(0, 8 << 20)


def test_a_picture_that_is_taken_away_takes_its_files_along(rooms):
    room = rooms.of("a")
    made = finished(room)
    room.chosen = "one"
    room.forget("one")
    room.forget("one")
    assert not made.path.exists()
    assert room.chosen is None
