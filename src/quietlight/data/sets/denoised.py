"""A raw without a clean twin -> the clean raw that stands in for it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from quietlight.analysis.estimate import estimate_raw
from quietlight.frames import RawFrame
from quietlight.systems.fan import fan


def denoised(frame: RawFrame) -> RawFrame:
    """As FAN denoises it, told the noise that its file tells, else that which is measured in it; as it is where there is none."""
    profile = estimate_raw(frame).profile
    return frame if profile is None else cast(RawFrame, fan(replace(frame, noise=profile)).frame)
