"""The page: where things stand on it, and which action each control calls. What it shows comes from `drawing`."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import gradio as gr

from quietlight.frames import UnusableInput
from quietlight.web.actions import Actions
from quietlight.web.drawing import Changes, changes
from quietlight.web.intake import Limits, in_one_line
from quietlight.web.rooms import Room
from quietlight.web.show import wrong
from quietlight.web.wishes import MOST_EXPOSURE

_TICK = 0.6
"""Seconds between two looks at work in the background."""
_BURSTS = [("Find them", "auto"), ("All one", "on"), ("Each alone", "off")]
_AT_ONCE = 8
Updates = list[Any]
"""For every component, in their order."""


def text(name: str) -> str:
    """A file that lies beside this one."""
    return (files("quietlight.web") / name).read_text(encoding="utf-8")


def build(actions: Actions, limits: Limits, leave: Callable[[str], None]) -> gr.Blocks:
    """The page. `leave` is told the session whose page was closed."""
    with gr.Blocks(title="Quietlight", analytics_enabled=False, fill_width=True) as page:
        _Page(actions, limits).connect()

        def closed(request: gr.Request) -> None:
            leave(str(request.session_hash))

        page.unload(closed)
    return page


class _Page:
    """The components, by the names that `drawing.changes` gives them, and what they call."""

    def __init__(self, actions: Actions, limits: Limits) -> None:
        self._actions = actions
        self.parts: dict[str, Any] = {}
        with gr.Column(elem_id="ql-page", elem_classes=["empty"]) as self.parts["page"]:
            _html("ql-head", text("head.html"))
            with gr.Column(elem_id="ql-intake"):
                self._intake(limits)
            with gr.Column(elem_id="ql-stage"):
                self._stage()
            with gr.Column(elem_id="ql-controls"):
                self._controls()
        self.parts["timer"] = gr.Timer(_TICK, active=False)

    def _intake(self, limits: Limits) -> None:
        self.parts["drop"] = gr.File(file_count="multiple", show_label=False, elem_id="ql-drop")
        _html("ql-bounds", _bounds(limits))
        self.parts["bursts"] = gr.Radio(_BURSTS, value="auto", label="Several shots of one scene", elem_id="ql-bursts")
        self.parts["notice"] = _html("ql-notice")
        self.parts["cards"] = _html("ql-cards", js_on_load=text("buttons.js"))
        self.parts["all"] = gr.Button("Make all files", elem_id="ql-all", visible=False)

    def _stage(self) -> None:
        pictures = {"html_template": text("viewer.html"), "js_on_load": text("viewer.js")}
        self.parts["viewer"] = _html("ql-viewer", {}, **pictures)
        self.parts["report"] = _html("ql-report")

    def _controls(self) -> None:
        self.parts["subject"] = gr.Textbox(visible="hidden", elem_id="ql-subject")
        self.parts["strength"] = _slider("Strength", "of the noise is removed", 0, 1, 1)
        self.parts["chroma"] = _slider("Chroma", "of the colour noise", 0, 1, 1)
        self.parts["exposure"] = _slider("Exposure", "EV; a DNG keeps its own", -MOST_EXPOSURE, MOST_EXPOSURE, 0, 0.05)
        self.parts["suffix"] = gr.Radio([], label="File", elem_id="ql-format")
        self.parts["make"] = gr.Button("Make the file", variant="primary", elem_id="ql-make")
        self.parts["work"] = _html("ql-work", js_on_load=text("buttons.js"))
        self.parts["remarks"] = _html("ql-remarks")

    def connect(self) -> None:
        """Every control calls one action; the page is then drawn as the room has become."""
        actions, parts = self._actions, self.parts
        buttons = {"choose": actions.choose, "forget": actions.forget, "cancel": actions.cancel}

        def take(paths: list[str] | None, bursts: Any, request: gr.Request) -> Updates:
            return self._done(request, lambda session: actions.take(session, paths or [], bursts), drop={"value": None})

        def wish(
            key: str, suffix: str, strength: float, chroma: float, exposure: float, request: gr.Request
        ) -> Updates:
            return self._done(request, lambda session: actions.wish(session, key, suffix, strength, chroma, exposure))

        def press(event: gr.EventData, request: gr.Request) -> Updates:
            return self._done(request, lambda session: buttons[event.what](session, str(event.key)))

        def move(event: gr.EventData, request: gr.Request) -> Updates:
            return self._done(request, lambda session: actions.move(session, float(event.row), float(event.column)))

        self._on(parts["drop"].upload, take, [parts["drop"], parts["bursts"]])
        for name, action in (("make", actions.make), ("all", actions.make_all)):
            self._on(parts[name].click, self._plain(action))
        self._on(parts["timer"].tick, self._plain(actions.see))
        wishes = [parts[name] for name in ("subject", "suffix", "strength", "chroma", "exposure")]
        for control in wishes[1:]:
            self._on(control.input, wish, wishes, trigger_mode="always_last")
        for name in ("cards", "work"):
            self._on(parts[name].click, press)
        self._on(parts["viewer"].click, move)

    def _plain(self, action: Callable[[str], Room]) -> Callable[..., Updates]:
        def run(request: gr.Request) -> Updates:
            return self._done(request, action)

        return run

    def _on(self, listener: Any, run: Callable[..., Updates], inputs: Any = None, **options: Any) -> None:
        settings = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": _AT_ONCE}
        listener(run, inputs, list(self.parts.values()), **settings, **options)

    def _done(self, request: gr.Request, act: Callable[[str], Room], **more: dict[str, Any]) -> Updates:
        """Act, and what is new on the page, and `more` of it; what goes wrong is one line on it."""
        session = str(request.session_hash)
        try:
            room = act(session)
            said = ""
        except Exception as error:
            if not isinstance(error, UnusableInput):
                traceback.print_exc(file=sys.stderr)
            said = in_one_line(error)
            try:
                room = self._actions.see(session)
            except UnusableInput:
                return self._updates({"notice": {"value": wrong(said)}} | more)
        room.notice = said or room.notice
        return self._updates(changes(room) | more)

    def _updates(self, new: Changes) -> Updates:
        return [gr.update(**new[name]) if name in new else gr.skip() for name in self.parts]


def _html(name: str, value: Any = "", **options: Any) -> Any:
    return gr.HTML(value, elem_id=name, apply_default_css=False, **options)


def _slider(label: str, info: str, low: float, high: float, value: float, step: float = 0.01) -> Any:
    return gr.Slider(low, high, value, step=step, label=label, info=info, elem_id=f"ql-{label.lower()}", buttons=[])


def _bounds(limits: Limits) -> str:
    return (
        f"<p>JPEG, PNG, TIFF, WebP, AVIF, HEIC, JPEG XL and raws; {limits.files} files of up to {limits.file_bytes >> 20} MB "
        "each. They stay on the machine that runs this page and are deleted when you close it.</p>"
    )
