"""What was found and done, in a sentence for people. The records are those of systems that work in steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]

_WORDING = {
    "share of pixels": "{percent} lost pixels",
    "sigma, 0-255": "{nature} noise of sigma about {level}",
    "sigma at white, 0-255": "{nature} noise of sigma about {level} at white",
    "sigma at mid-gray, 0-255": "{nature} noise of sigma about {level} at mid-gray",
    "±, 0-255": "{nature} noise of about ±{level}",
    "counts at white": "{nature} noise of about {level} counts at white",
}
"""Unit of a nature -> how its noise is spoken of; others are named with level and unit."""


def sentence(record: Record) -> str:
    """What noises were found, and whether the photo is clean after removing them."""
    return f"{found(record)} {outcome(record)}".strip()


def found(record: Record) -> str:
    """The first half of the sentence: the noises that were removed, in their order."""
    steps = [step for step in record["steps"] if step["kept"]]
    if record["stopped"] == "told":
        return f"Removed as asked: {', then '.join(map(noise, steps)) or 'nothing, as there was none'}."
    if not steps:
        if record["stopped"] == "clean":
            return "Clean: no noise was found."
        return "No noise was removed."
    names, natures = [], set()
    for step in steps:
        names.append(f"more {noise(step)}" if step["nature"] in natures else noise(step))
        natures.add(step["nature"])
    count = "1 noise" if len(natures) == 1 else f"{len(natures)} noises"
    return f"Found {count}: {', then '.join(names)}."


def outcome(record: Record) -> str:
    """The second half: how it ended, after how many steps and seconds, and what is left."""
    kept = [step for step in record["steps"] if step["kept"]]
    took = f"after {_count(len(kept), 'step')} in {seconds(sum(step['seconds'] for step in record['steps']))}"
    if record["stopped"] == "told":
        return f"Done {took}."
    sure = f"{percent(record['left']['certainty'])} sure"
    if record["stopped"] == "clean":
        said = [f"Clean {took}." if kept else f"That is {sure}."]
    else:
        said = [f"Stopped {took if kept else 'at the start'}{_REASONS[record['stopped']]}."]
        said.append(f"What is left looks like {noise(record['left'])} ({sure}).")
    if record["fallback"]:
        said.append("As no class of noise fitted, the denoiser for all of them was used.")
    if taken_back := len(record["steps"]) - len(kept):
        said.append(f"{_count(taken_back, 'step')} {'was' if taken_back == 1 else 'were'} taken back.")
    return " ".join(said)


_REASONS = {
    "limit": ", as no more steps are taken",
    "no gain": ", as a further one brings no gain",
    "unsure": ", as no class of noise is sure enough",
}


def noise(judged: Record) -> str:
    """A noise and its level as one speaks of it: "gaussian noise of sigma about 23".

    >>> noise({"nature": "bernoulli", "level": 0.0913, "unit": "share of pixels"})
    '9% lost pixels'
    """
    if not judged["nature"]:
        return "a clean photo"
    wording = _WORDING.get(judged["unit"], "{nature} noise of about {level} ({unit})")
    level = judged["level"]
    rounded = f"{level:.0f}" if level >= 10 else f"{level:.2g}"
    return wording.format(nature=judged["nature"], level=rounded, unit=judged["unit"], percent=percent(level))


def measured(judged: Record) -> str:
    """The level in its unit: "23.1 (sigma, 0-255)"; nothing of a clean photo."""
    return f"{judged['level']:.4g} ({judged['unit']})" if judged["nature"] else ""


def percent(share: float) -> str:
    """A share of 1 in percent, never rounded to none or all.

    >>> [percent(share) for share in (0.0913, 0.004, 0.9996, 1.0, 0.0)]
    ['9%', '0.4%', 'over 99%', '100%', '0%']
    """
    if 0.995 <= share < 1:
        return "over 99%"
    if 0.0005 <= share < 0.0095:
        return f"{100 * share:.1g}%"
    return "under 0.1%" if 0 < share < 0.0005 else f"{100 * share:.0f}%"


def seconds(time: float) -> str:
    """A duration.

    >>> seconds(3.42), seconds(0.0213), seconds(75.2)
    ('3.4 s', '0.021 s', '75 s')
    """
    return f"{time:.0f} s" if time >= 10 else f"{time:.2g} s"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def merged(record: Record) -> str:
    """How many frames of a burst were merged, and onto which. Frames are counted from 1."""
    used = record.get("used", range(record["frames"]))
    of_all = "" if len(used) == record["frames"] else f" of {record['frames']}"
    return f"{_count(len(used), 'frame')}{of_all} merged onto frame {record['reference'] + 1}."


def merged_outcome(record: Record) -> str:
    """What noise of a burst is left, and which frames were left out."""
    said = []
    if (effective := record.get("effective_frames")) is not None:
        frames = f"that of a mean of {effective:.{0 if effective >= 10 else 1}f} frames"
        if "denoised" in record:
            said.append(f"The noise that the merge left, {frames}, was then removed as that of one frame.")
        else:
            said.append(f"The noise that is left is {frames}.")
    if left_out := record.get("left_out"):
        names = ", ".join(str(index + 1) for index in left_out)
        said.append(f"Left out, since hardly anything in it fits: frame {names}.")
    return " ".join(said)


def raw_noise(deviation: float, source: str) -> str:
    """The noise of a raw by its standard deviation at mid-gray, a share of full scale, and where that was learnt."""
    return f"Shot and read noise of {deviation:.2%} of full scale at mid-gray, by the {source}."


def raw_outcome(record: Record) -> str:
    """How much of a raw's noise its denoiser left; nothing where it did not run or was held back."""
    left = record.get("noise_left", 1.0)
    if left == 1 or record.get("strength", 1.0) != 1 or "system" not in record:
        return ""
    return f"After {record['system']}, {percent(left)} of its energy is left."
