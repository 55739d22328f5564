"""Gradual denoising by regions: noise that is not the same all over a photo gets a decision for each part (`--local`).

The future work of NoiseBreaker (Lemarchand et al. 2020), whose spatial mixtures (section 1) have another noise at every pixel. A
photo is looked at in overlapping crops around the cells of a grid; each cell takes the denoiser that its noise asks for, and
results are blended from cell to cell, so that no seam shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight import zoo
from quietlight.analysis.classify import classify
from quietlight.analysis.judgement import Judgement
from quietlight.analysis.photo import to_planes
from quietlight.frames import Array, Image
from quietlight.noise.classes import NoiseClass
from quietlight.systems import Result, drops
from quietlight.systems.impulses import full_scale
from quietlight.systems.primaries import DROPS, LIMIT, denoise, is_clean, primary, removed, replace_lost, weights_of
from quietlight.tiles import mirrored
from quietlight.zoo import Weights

Progress = Callable[[float], None]
Cell = tuple[int, int]

CELL = 64
"""Side of a cell."""
AROUND = 32
"""Pixels beyond a cell, on every side, that are looked at with it: fewer do not show noise well, more show that of others."""
FEATHER = 16
"""Pixels over which one cell's result becomes its neighbour's."""


def by_region(photo: Image, pool: str, classifier: Weights | str, keeps: bool, progress: Progress) -> Result:
    """As `noisebreaker`, with a decision for every cell of a photo.

    A step of the record is one denoiser on all cells that asked for it: "area" is their share of the photo, the judgement is the
    mean over them.
    """
    weights = zoo.read(classifier) if isinstance(classifier, str) else classifier
    grid = _Grid(*(np.array_split(np.arange(n), max(round(n / CELL), 1)) for n in photo.pixels.shape[:2]))
    used: dict[Cell, set[str]] = {cell: set() for cell in grid.cells()}
    steps: list[dict[str, Any]] = []
    stages: list[Image] = []  # kept where `keeps` says so
    looks = grid.looks(photo, weights)
    while wanted := {cell: name for cell, look in looks.items() if (name := _wanted(look, pool, used[cell]))}:
        lossy = primary(pool, NoiseClass(DROPS[0]))
        # Lost pixels come first: denoised, they would be smeared.
        names = sorted(set(wanted.values()), key=lambda name: (name != lossy, name))
        if len(steps) + len(names) > LIMIT:
            break
        for name in names:
            begin, number = time.perf_counter(), len(steps)
            mine = [cell for cell, one in wanted.items() if one == name]
            found = _mean([looks[cell] for cell in mine])
            denoiser = weights_of(name, photo.pixels.shape[2])
            loses = name == lossy
            run = partial(replace_lost, find=grid.lost) if loses else denoise
            after = run(photo, denoiser, lambda share, number=number: progress(1 - 0.5 ** (number + share)))  # type: ignore[misc]
            mask = grid.mask(mine, hard=True) if loses else grid.mask(grid.beside(mine), hard=False)
            before, photo = photo, _blended(photo, after, mask)
            facts = {"denoiser": denoiser.name, "area": round(len(mine) / len(used), 4), "kept": True}
            seconds = round(time.perf_counter() - begin, 3)
            steps.append({**found.to_dict(), **facts, "removed": removed((before,), (photo,)), "seconds": seconds})
            stages += [photo] if keeps else []
            for cell in mine:
                used[cell].add(name)
        looks = grid.looks(photo, weights)
    progress(1.0)
    left = _mean(list(looks.values()))
    stopped = "limit" if wanted else "clean" if is_clean(left) else "no gain"
    record = {"steps": steps, "stopped": stopped, "fallback": False, "classifier": weights.name, "left": left.to_dict()}
    return Result(photo, record, tuple(stages))


@dataclass(frozen=True)
class _Grid:
    """A photo's rows and columns in groups: the cells."""

    rows: list[NDArray[np.int_]]
    columns: list[NDArray[np.int_]]

    def cells(self) -> list[Cell]:
        return [(i, j) for i in range(len(self.rows)) for j in range(len(self.columns))]

    def around(self, cell: Cell) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of the rows [h, 1] and columns [w] of a cell and what lies around it, mirrored at the photo's sides."""
        spans = (self.rows, cell[0]), (self.columns, cell[1])
        rows, columns = (
            mirrored(int(groups[i][0]) - AROUND, int(groups[i][-1]) + 1 + AROUND, int(groups[-1][-1]) + 1)
            for groups, i in spans
        )
        return rows[:, None], columns

    def looks(self, photo: Image, weights: Weights) -> dict[Cell, Judgement]:
        """What each cell's noise is, by what lies around it."""
        return {cell: classify(Image(photo.pixels[self.around(cell)]), weights) for cell in self.cells()}

    def lost(self, noisy: Array, estimate: Array) -> NDArray[np.bool_]:
        """Which values [H, W, C] were lost, by the rate and the other noise around each cell."""
        found = np.zeros(noisy.shape, bool)
        for i, j in self.cells():
            place = self.around((i, j))
            near = drops.lost(to_planes(noisy[place]), to_planes(estimate[place]))
            inner = np.moveaxis(near[:, AROUND:-AROUND, AROUND:-AROUND], 0, 2)
            found[self.rows[i][0] : self.rows[i][-1] + 1, self.columns[j][0] : self.columns[j][-1] + 1] = inner
        return found

    def beside(self, cells: list[Cell]) -> list[Cell]:
        """These cells and their neighbours.

        A cell at the border of two noises shows both, and asks for one denoiser at a time; a blind one does no harm to a neighbour
        without noise.
        """
        near = {(i + di, j + dj) for i, j in cells for di in (-1, 0, 1) for dj in (-1, 0, 1)}
        return [cell for cell in self.cells() if cell in near]

    def mask(self, cells: list[Cell], hard: bool) -> Callable[[int, int], NDArray[np.float32]]:
        """Cells -> pixels: a function that gives the rows from one to another, [h, W] in [0, 1].

        With soft edges unless `hard`: a lost pixel is replaced wholly or not.
        """
        chosen = np.zeros((len(self.rows), len(self.columns)), np.float32)
        chosen[tuple(zip(*cells, strict=True))] = 1
        row, column = (np.repeat(range(len(groups)), list(map(len, groups))) for groups in (self.rows, self.columns))

        def rows(top: int, bottom: int) -> NDArray[np.float32]:
            if hard:
                return np.asarray(chosen[row[top:bottom, None], column])
            wide = chosen[row[mirrored(top - FEATHER - 1, bottom + FEATHER, len(row))]][:, column]
            soft = _box_means(_box_means(wide, 0)[:, mirrored(-FEATHER - 1, len(column) + FEATHER, len(column))], 1)
            return np.clip(soft, 0, 1)

        return rows


def _box_means(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Means over the pixels up to `FEATHER` away along an axis, for all but the first FEATHER + 1 and the last FEATHER."""
    window = 2 * FEATHER + 1
    sums = np.moveaxis(np.cumsum(values, axis, dtype=np.float64), axis, 0)
    means = (sums[window:] - sums[:-window]) / window
    return np.moveaxis(means, 0, axis).astype(np.float32)


def _wanted(look: Judgement, pool: str, used: set[str]) -> str:
    """The denoiser that a cell asks for; nothing where it is clean, or has had all that would serve."""
    if is_clean(look):
        return ""
    left = look.without({c for c in look.classes if c.nature and primary(pool, c) in used})
    return "" if is_clean(left) else primary(pool, left.found)


def _mean(looks: list[Judgement]) -> Judgement:
    """The mean of judgements by the same classifier."""
    probabilities, levels = (
        np.mean([getattr(look, name) for look in looks], axis=0) for name in ("probabilities", "levels")
    )
    return replace(looks[0], probabilities=tuple(probabilities.tolist()), levels=tuple(levels.tolist()))


def _blended(photo: Image, after: Image, mask: Callable[[int, int], NDArray[np.float32]]) -> Image:
    """The photo, and `after` as far as the mask says, which is asked for some rows at a time."""
    pixels = photo.pixels.copy()
    white = full_scale(pixels)
    for top in range(0, len(pixels), 256):
        part = slice(top, top + 256)
        own = mask(top, top + len(pixels[part]))[..., None]
        change = (after.pixels[part].astype(np.float32) - pixels[part]) * own
        mixed = np.clip(pixels[part] + change, 0, white)
        pixels[part] = mixed if pixels.dtype.kind == "f" else np.rint(mixed)
    return replace(photo, pixels=pixels)
