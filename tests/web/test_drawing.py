"""The page is told what is new, once, and nothing from a file gets into it as HTML."""

from __future__ import annotations

import re

import pytest

from quietlight.web import show
from quietlight.web.drawing import changes
from quietlight.web.rooms import Item


def test_only_what_is_new_is_sent(actions, desk, upload, noisy_photo):
    room = actions.see("a")
    assert changes(room)["page"] == {"elem_classes": ["empty"]}
    assert changes(room) == {}
    actions.take("a", upload(noisy_photo), "auto")
    new = changes(room)
    assert new["page"] == {"elem_classes": ["waiting"]}
    assert new["timer"] == {"active": True}
    desk.work()
    new = changes(room)
    assert new["page"] == {"elem_classes": ["full", "photo"]}
    assert new["timer"] == {"active": False}
    assert new["suffix"]["value"] == ".png"
    assert {"before", "after", "overview", "place"} <= new["viewer"]["value"].keys()
    assert changes(room) == {}


def test_a_slider_costs_one_picture(actions, desk, upload, raw):
    room = actions.take("a", upload(raw), "auto")
    desk.work()
    changes(room)
    actions.wish("a", room.chosen, ".dng", 0.5, 1.0, 0.0)
    new = changes(room)
    assert not {"before", "overview"} & new["viewer"]["value"].keys()
    assert not {"strength", "subject", "cards", "report"} & new.keys()
    actions.wish("a", room.chosen, ".dng", 0.5, 1.0, 1.0)
    assert {"before", "after"} <= changes(room)["viewer"]["value"].keys()
    actions.wish("a", room.chosen, ".dng", 0.5, 1.0, 1.0)
    assert changes(room) == {}
    actions.choose("a", room.chosen)
    assert {"viewer", "strength", "cards"} <= changes(room).keys()


def test_what_was_found_and_made_is_told(actions, desk, upload, noisy_photo, raw):
    room = actions.take("a", upload(noisy_photo, raw), "off")
    desk.work()
    photo, other = room.items.values()
    told = show.report(photo, room)
    assert "Found 1 noise: gaussian noise of sigma about" in told
    assert re.search(r"gaussian \d+-\d+ <i>", told)
    assert "noisebreaker-additive-color" in told
    told = show.report(other, room)
    assert "Shot and read noise of" in told
    assert "DNG NoiseProfile" in told
    actions.make_all("a")
    assert "Cancel" in show.work(photo, room)
    desk.work()
    assert f'href="/download/{photo.made["photo_clean.png"].key}"' in show.work(photo, room)
    assert "fan-plus" in show.report(other, room)
    assert "quietlight develop raw.dng" in show.remarks(other)


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.jpg", '"><script>x</script>', "a&b'c\".png"])
def test_names_are_text(actions, name):
    room = actions.see("a")
    room.items["k"] = Item("k", name, None, refusal=name)
    room.chosen = "k"
    room.notice = name
    html = "".join(str(state.get("value", "")) for state in changes(room).values())
    assert name not in html
    assert not re.search(r"<(img|script)[^>]*(onerror|>x)", html)
