"""What is known of a room -> pieces of the page, as HTML. Whatever comes from a file or its name is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from quietlight.analysis import words
from quietlight.report.noise_plot import curve_section
from quietlight.report.parts import facts
from quietlight.web.intake import in_one_line
from quietlight.web.look import Study, removes_noise
from quietlight.web.rooms import Item, Made, Room
from quietlight.web.tasks import Task
from quietlight.web.wishes import command

Fact = tuple[str, str]
_LOOKING = "being read, and its noise judged"
_BYTES = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))


def cards(room: Room) -> str:
    """The pictures of a room, in their order; a click chooses, the cross takes away."""
    return f'<ul class="cards">{"".join(_card(item, room) for item in room.items.values())}</ul>'


def _card(item: Item, room: Room) -> str:
    state, said = state_of(item, room)
    said = f"burst of {len(item.job.frames)}, {said}" if item.job and item.job.frames else said
    chosen = item.key == room.chosen
    picture = f'<img alt="" src="{item.study.thumbnail}">' if item.study else '<span class="blank"></span>'
    bar = _bar(item.making) if item.making and not item.making.is_over else ""
    return (
        f'<li class="card {state}{" chosen" if chosen else ""}">'
        f'<button type="button" class="pick" data-do="choose" data-key="{item.key}" aria-current="{str(chosen).lower()}">'
        f'{picture}<span class="about"><b>{escape(item.title)}</b><small>{escape(said)}</small></span></button>'
        f'<button type="button" class="away" data-do="forget" data-key="{item.key}" '
        f'aria-label="Take away {escape(item.title)}">×</button>{bar}</li>'
    )


def state_of(item: Item, room: Room) -> tuple[str, str]:
    """How far a picture is: one of refused, looking, working, ready, made; and in words."""
    if item.job is None:
        return "refused", item.refusal
    looking, making = item.looking, item.making
    if item.study is None:
        if looking is not None and looking.error is not None:
            return "refused", in_one_line(looking.error, room.folder)
        return "looking", _LOOKING if looking and looking.state == "working" else "waits for its turn"
    if making is not None and not making.is_over:
        return (
            "working",
            f"{100 * making.share:.0f}%{_left(making)}" if making.state == "working" else "waits to be made",
        )
    if making is not None and making.error is not None:
        return "refused", in_one_line(making.error, room.folder)
    if item.made:
        return "made", f"made: {', '.join(name.rpartition('.')[2] for name in item.made)}"
    return "ready", in_short(item.study)


def _left(task: Task) -> str:
    left = task.seconds_left
    if left is None:
        return ""
    return f", {left / 60:.0f} min left" if left > 90 else f", {max(round(left), 1)} s left"


def _bar(task: Task) -> str:
    return f'<span class="bar"><span style="width:{100 * task.share:.1f}%"></span></span>'


def in_short(study: Study) -> str:
    """The noise of a picture in some words."""
    if study.raw:
        deviation = study.report.deviation
        return "little noise" if deviation is None else f"noise {deviation:.2%} at mid-gray"
    return ", ".join(words.noise(step) for step in study.record["steps"] if step["kept"]) or "clean"


def report(item: Item, room: Room) -> str:
    """The noise report: what, how much, how sure, each step; of the whole file once that was made, else of what was looked at."""
    study = item.study
    if study is None:
        said = state_of(item, room)[1]
        return f'<section class="wait"><b>{escape(item.title)}</b>{escape(said[0].upper() + said[1:])}.</section>'
    made = next(reversed(item.made.values()), None)
    record = made.record if made else study.record
    listed = _steps(record) if "steps" in record and study.frames == 1 else ""
    return (
        f'<section class="report"><h2>{escape(_headline(study, record))}</h2>{_lead(study, made)}'
        f"{listed}{facts(_facts_of(study, made))}{curve_section(study.curve) if study.curve else ''}</section>"
    )


def _headline(study: Study, record: Mapping[str, Any]) -> str:
    if "steps" in record:
        return words.found(record)
    return words.merged(record) if "used" in record or "misfit" in record else study.report.verdict


def _lead(study: Study, made: Made | None) -> str:
    if made is None:
        if study.frames > 1:
            said = f"A burst of {study.frames} frames, to be merged onto frame {study.reference + 1}, the sharpest."
        else:
            said = "" if study.raw else "Judged by parts of it; the file is judged as a whole."
    elif "steps" in made.record:
        said = words.outcome(made.record)
    elif "misfit" in made.record or "used" in made.record:
        said = words.merged_outcome(made.record)
    else:
        said = f"Done in {words.seconds(made.seconds)}."
    return f'<p class="lead">{escape(said)}</p>' if said else ""


def _steps(record: Mapping[str, Any]) -> str:
    steps = "".join(_step(number, step) for number, step in enumerate(record["steps"], 1))
    return f'<ol class="steps">{steps}{_last_look(record)}</ol>'


def _step(number: int, step: Mapping[str, Any]) -> str:
    title = words.noise(step)
    removed = step["removed"]
    kept = "" if step["kept"] else ", taken back"
    facts = (
        f"level {words.measured(step)}",
        f"removed: deviation {removed['deviation']:.3g} of 255, {words.percent(removed['changed'])} of the pixels changed",
        f"by {step['denoiser']}",
    )
    return (
        f'<li><span class="number{"" if step["kept"] else " off"}">{number}</span><div><h3>{escape(title[0].upper() + title[1:])}'
        f"{kept}</h3>{_sure(step)}<small>{escape(' · '.join(facts))}</small></div></li>"
    )


def _last_look(record: Mapping[str, Any]) -> str:
    left = record["left"]
    sign = "✓" if record["stopped"] == "clean" else "■"
    title = f"What is left looks like {words.noise(left)}" if record["steps"] else f"It looks like {words.noise(left)}"
    return f'<li><span class="number off">{sign}</span><div><h3>{escape(title)}</h3>{_sure(left)}</div></li>'


def _sure(judged: Mapping[str, Any]) -> str:
    """How certain a class is, beside those that come next."""
    likely = sorted(judged["probabilities"].items(), key=lambda pair: -pair[1])[:3]
    bars = "".join(
        f'<span{" class=chosen" if name == judged["class"] else ""}>{escape(name)} <i><i style="width:{100 * chance:.0f}%"></i></i>'
        f" {words.percent(chance)}</span>"
        for name, chance in likely
    )
    return f'<div class="sure">{bars}</div>'


def _facts_of(study: Study, made: Made | None) -> list[Fact]:
    told = [*_noise_facts(study), *study.facts]
    if study.frames > 1:
        told.append(("Burst", f"{study.frames} frames, reference {study.reference + 1}"))
    if made is None:
        return told
    record = made.record
    if "repaired_pixels" in record:
        told.append(("Repaired", f"hot or dead pixels: {record['repaired_pixels']}"))
    if "noise_left" in record:
        told.append(("Noise left", f"{words.percent(record['noise_left'])} of its energy"))
    weights = record.get("weights")
    if weights:
        told.append(
            ("Denoiser", f"{record['system']}: {', '.join(weights) if isinstance(weights, Mapping) else weights}")
        )
    elif "noise" in record:
        told.append(("Denoiser", f"none: the noise is {record['noise']}"))
    elif study.raw and not removes_noise(study, made.wishes):
        told.append(("Denoiser", "none: nobody would see the noise"))
    told.append(("Time", words.seconds(made.seconds)))
    return told


def _noise_facts(study: Study) -> list[Fact]:
    if not study.raw:
        return []
    finding = next(iter(study.report.findings), None)
    if finding is None:
        return [("Noise", "low")]
    told = f"told by the {study.report.source}"
    sure = (
        told
        if finding.certainty is None
        else f"{words.percent(finding.certainty)}, measured on the {study.report.source}"
    )
    return [("Noise", f"shot and read, {finding.level:.2%} of full scale at mid-gray"), ("How sure", sure)]


def remarks(item: Item) -> str:
    """What is to be known before a file is made, and the command that makes the same."""
    if item.study is None or item.job is None:
        return ""
    said = ""
    if not removes_noise(item.study, item.wishes):
        said = (
            "<p>Nobody would see its noise, so this format is developed as it is. A DNG is denoised all the same.</p>"
        )
    return f"{said}<p>The same from the command line:</p><code>{escape(command(item.job, item.wishes))}</code>"


def work(item: Item, room: Room) -> str:
    """What is being made of a picture, and the files that were."""
    making, said = item.making, ""
    if making is not None and not making.is_over:
        said = (
            f'<div class="making"><span>{escape(state_of(item, room)[1])}</span>'
            f'<button type="button" data-do="cancel" data-key="{item.key}">Cancel</button></div>{_bar(making)}'
        )
    elif making is not None and making.state == "failed":
        said = wrong(state_of(item, room)[1])
    elif making is not None and making.state == "cancelled":
        said = '<p class="quiet">Cancelled.</p>'
    files = "".join(_file(made) for made in reversed(item.made.values()))
    return f'<div aria-live="polite">{said}</div>' + (f'<ul class="files">{files}</ul>' if files else "")


def _file(made: Made) -> str:
    with_what = f"strength {made.wishes.strength:g}, chroma {made.wishes.chroma:g}"
    developed = made.wishes.exposure and made.path.suffix != ".dng"
    with_what += f", {made.wishes.exposure:+g} EV" if developed else ""
    return (
        f'<li><a href="/download/{made.key}" download="{escape(made.path.name)}"><b>Download {escape(made.path.name)}</b>'
        f"<small>{_size(made.path.stat().st_size)}, {with_what}</small></a></li>"
    )


def _size(count: int) -> str:
    """A size for people: 3.2 MB."""
    unit, name = next(((u, n) for u, n in _BYTES if count >= u), (1, "bytes"))
    return f"{count / unit:.1f} {name}" if unit > 1 else f"{count} bytes"


def wrong(said: str) -> str:
    """What went wrong with what was last asked for, if anything."""
    return f'<p class="wrong" role="alert">{escape(said)}</p>' if said else ""
