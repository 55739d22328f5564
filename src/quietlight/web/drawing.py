"""A room -> what is new on its page: for every component whose state has changed since it was last drawn, that state."""

from __future__ import annotations

from typing import Any

from quietlight.report.pictures import RESIDUAL_GAIN
from quietlight.web import look, show
from quietlight.web.look import Study, View
from quietlight.web.pictures import exact
from quietlight.web.rooms import Item, Room
from quietlight.web.wishes import Wishes, formats_of

Changes = dict[str, dict[str, Any]]
"""Name of a component -> its properties."""


def changes(room: Room) -> Changes:
    """What the page has to be told, and from then on knows."""
    with room.lock:
        item = room.current
        seen = item if item is not None and item.study is not None else None
        wanted: Changes = {
            "page": {"elem_classes": _classes(room, seen)},
            "notice": {"value": show.wrong(room.notice)},
            "cards": {"value": show.cards(room)},
            "all": {"visible": sum(one.study is not None for one in room.items.values()) > 1},
            "timer": {"active": room.is_busy},
            "work": {"value": show.work(item, room) if item else ""},
            "report": {"value": show.report(item, room) if item else ""},
            "remarks": {"value": show.remarks(item) if item else ""},
        }
        new = {name: state for name, state in wanted.items() if room.drawn.get(name) != state}
        room.drawn |= new
        return new | (_stage(room, seen) if seen else {})


def _classes(room: Room, seen: Item | None) -> list[str]:
    if not room.items:
        return ["empty"]
    if seen is None:
        return ["waiting"]
    moving = ["moving"] if seen.looking and not seen.looking.is_over else []
    return ["full", "raw" if seen.study and seen.study.raw else "photo", *moving]


def _stage(room: Room, item: Item) -> Changes:
    """The controls, where another picture is chosen, and those pictures of the viewer that have changed."""
    assert item.study is not None and item.view is not None and item.job is not None
    new: Changes = {}
    if room.drawn.get("item") != item.key:
        wishes = item.wishes
        new = {
            "subject": {"value": item.key},
            "strength": {"value": wishes.strength},
            "chroma": {"value": wishes.chroma},
            "exposure": {"value": wishes.exposure, "visible": item.study.raw},
            "suffix": {"choices": [(n, s) for s, n in formats_of(item.job).items()], "value": wishes.suffix},
        }
    view = (item.key, id(item.view))
    before = (*view, item.wishes.exposure)
    after = (*view, item.wishes)
    if room.drawn.get("after") != after:
        value = _pictures(item.study, item.view, item.wishes, before=room.drawn.get("before") != before)
        if new:
            value["overview"] = item.study.overview
        new["viewer"] = {"value": value}
    room.drawn |= {"item": item.key, "before": before, "after": after}
    return new


def _pictures(study: Study, view: View, wishes: Wishes, *, before: bool) -> dict[str, Any]:
    """What the viewer takes: the part before and after, and where in the picture it lies, in shares of its width and height."""
    window, (height, width) = view.window, study.size
    value: dict[str, Any] = {
        "after": exact(look.after(study, view, wishes), study.profile),
        "gain": RESIDUAL_GAIN,
        "size": [window.width, window.height],
        "place": [window.left / width, window.top / height, window.width / width, window.height / height],
    }
    return value | ({"before": exact(look.before(study, view, wishes), study.profile)} if before else {})
