"""What is generated for README and docs is what its sources say."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]


def tool(name: str) -> Any:
    """A module of `tools/`."""
    spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (ROOT / "tools").glob("*.py") if path.stem != "docs_site")
)
def test_every_tool_finds_what_it_imports(name: str) -> None:
    assert tool(name).__doc__  # docs_site needs mkdocs, which `make docs` installs


def test_readme_and_plots_say_what_the_benchmarks_say() -> None:
    summary = tool("benchmark_summary")
    texts = summary.files(summary.PAGE.read_text(encoding="utf-8"), summary.README.read_text(encoding="utf-8"))
    assert len(texts) == 1 + len(summary.PLOTTED)
    for path, text in texts.items():
        assert path.read_text(encoding="utf-8") == text, "run: python tools/benchmark_summary.py"


def test_a_plot_shows_every_system_at_its_numbers() -> None:
    summary = tool("benchmark_summary")
    rows = [("a", 20.0), ("b<c", 30.0)]
    head = "| system | PSNR | 10% | 25% | 75% | 90% |\n| --- | ---: | ---: | ---: | ---: | ---: |\n"
    body = "".join(f"| {name} | {p} | {p - 4} | {p - 2} | {p + 2} | {p + 4} |\n" for name, p in rows)
    tables = summary.tables(f"\n### x, y: 3 pictures\n\n{head}{body}| c | not trained |  |  |  |  |\n")
    assert list(tables) == ["x, y"]
    drawn = ElementTree.fromstring(summary.plot(["x, y"], tables))
    dots = [float(dot.attrib["cx"]) for dot in drawn.iter("{http://www.w3.org/2000/svg}circle")]
    boxes = [(float(b.attrib["x"]), float(b.attrib["width"])) for b in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(dots) == 2
    assert dots[0] < dots[1]
    for dot, (left, width) in zip(dots, boxes, strict=True):
        assert dot == pytest.approx(left + width / 2, abs=0.2)
        assert width == pytest.approx((dots[1] - dots[0]) * 4 / 10, abs=0.3)


def test_every_training_picture_is_credited(tmp_path: Path) -> None:
    attribution = tool("attribution")
    lines = [
        "file\tsource\tauthor_or_title\tlicence\tchange",
        "one.jpg\tUnsplash, a-b\tA. B.\tUnsplash licence\treduced",
        "two.jpg\tCID22 (Cloudinary), image 2\t\tCC BY-SA 4.0\tre-encoded",
    ]
    (tmp_path / "a.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = attribution.document(attribution.read(tmp_path / "a.tsv"))
    assert "| `one.jpg` | a-b | A. B. |" in text
    assert "| `two.jpg` | image 2 | not named by the source |" in text
    assert "2 photographs" in text
    kept = (ROOT / "models/ATTRIBUTION.md").read_text(encoding="utf-8")
    count = int(re.search(r"learnt from (\d+) photographs", kept)[1])  # type: ignore[index]
    assert len(re.findall(r"^\| `[^`]+\.jpg` \|", kept, re.M)) == count
    for address in attribution.LICENCES.values():
        assert address in kept


def test_pictures_are_small_and_credited() -> None:
    pictures = list((ROOT / "docs/pictures").iterdir())
    assert sum(path.stat().st_size for path in pictures) < 1_200_000
    text = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    for path in pictures:
        assert f"pictures/{path.name})" in text
