"""Files of a store are jobs like others: brought here, worked on, and put there whole."""

import sys

import pytest
from doing import Copy, sources
from typer.testing import CliRunner

from quietlight.batch import Folder, find_inputs, run
from quietlight.batch.places import JOURNAL
from quietlight.batch.remote import Store
from quietlight.cli import app, options
from quietlight.frames import UnusableInput

fsspec = pytest.importorskip("fsspec")
SUFFIXES = {".in"}


@pytest.fixture
def memory():
    files = fsspec.filesystem("memory")
    for name, text in {
        "one.in": "1",
        "deep/two.in": "2",
        "deep/.hidden.in": "",
        "deep/notes.txt": "",
        "out/old.in": "",
    }.items():
        files.pipe_file(f"/card/{name}", text.encode())
    yield files
    files.rm("/card", recursive=True)


def names(jobs):
    return [(job.source.name, job.folder.as_posix(), job.url) for job in jobs]


def test_stores_are_searched_like_folders(memory):
    found = find_inputs(["memory://card"], SUFFIXES, "memory://card/out")
    assert names(found) == [("two.in", "deep", "memory:///card/deep/two.in"), ("one.in", ".", "memory:///card/one.in")]
    assert find_inputs(["memory://card/", "memory://card/one.in"], SUFFIXES, "memory://card/out") == found
    assert names(find_inputs(["memory://card/**/*.in"], SUFFIXES, "memory://card/out")) == names(found)
    assert [job.url for job in find_inputs(["memory://card/deep/notes.txt"], SUFFIXES)] == [
        "memory:///card/deep/notes.txt"
    ]


def test_results_and_journal_go_to_the_store(memory):
    jobs, task = find_inputs(["memory://card"], SUFFIXES, "memory://card/out"), Copy()
    assert [o.target for o in run(jobs, task, Store("memory://card/out/"))] == [
        "memory://card/out/deep/two.out", "memory://card/out/one.out",
    ]  # fmt: skip
    assert memory.cat_file("/card/out/deep/two.out") == b"2"
    memory.pipe_file("/card/one.in", b"bad")
    memory.pipe_file("/card/out/deep/two.out", b"edited")
    outcomes = run(jobs, task, Store("memory://card/out"))
    assert [o.state for o in outcomes] == ["skipped", "skipped"]
    assert [o.state for o in run(jobs, task, Store("memory://card/out"), overwrite=True)] == ["done", "failed"]
    memory.pipe_file("/card/one.in", b"1")
    assert [o.state for o in run(jobs, task, Store("memory://card/out"), overwrite=True)] == ["kept", "done"]
    assert len(memory.glob(f"/card/out/{JOURNAL}.*")) == 3  # one for each run that did something


def test_what_is_missing_fails_alone(memory, tmp_path):
    jobs = find_inputs(["memory://card/gone.in", "memory://card/one.in", str(tmp_path / "gone.in")], SUFFIXES)
    outcomes = run(jobs, Copy(), Folder(tmp_path / "out"))
    assert [o.state for o in outcomes] == ["failed", "done", "failed"]
    assert outcomes[0].message.startswith("memory://card/gone.in: ")


def test_local_files_go_to_a_store_and_sidecars_with_raws(memory, tmp_path):
    jobs = sources(tmp_path, one="1")
    (tmp_path / "one.xmp").write_text("rating")
    run(jobs, Copy(suffix=".dng"), Store("memory://card/new"))
    assert memory.cat_file("/card/new/one.xmp") == b"rating"
    memory.pipe_file("/card/one.xmp", b"theirs")
    run(find_inputs(["memory://card/one.in"], SUFFIXES), Copy(suffix=".dng"), Folder(tmp_path / "here"))
    assert (tmp_path / "here" / "one.xmp").read_text() == "theirs"


def test_the_command(memory, shoot, tmp_path):
    for name in ("one/a.png", "two/a.png"):
        memory.pipe_file(f"/card/{name}", shoot(tmp_path / "a.png").read_bytes())
    command = ["denoise", "memory://card", str(tmp_path / "a.png"), "--out", "memory://card/clean"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "3 done" in result.output
    assert memory.isfile("/card/clean/two/a_clean.png")
    assert "3 there from before" in CliRunner().invoke(app, command).output
    assert isinstance(CliRunner().invoke(app, [*command, "--burst", "on"]).exception, UnusableInput)


def test_a_long_journal_has_parts(memory, monkeypatch):
    monkeypatch.setattr("quietlight.batch.remote._PART", 100)
    place = Store("memory://card/out")
    lines = [f"{n} {'x' * 60}" for n in range(7)]
    for line in lines:
        place.note(line)
    assert place.journal() == lines
    assert 1 < len(memory.glob(f"/card/out/{JOURNAL}.*")) < 7


def test_paths_that_only_say_so_are_local(tmp_path):
    (tmp_path / "one.in").write_text("1")
    (job,) = find_inputs([f"file://{tmp_path}"], SUFFIXES)
    assert (job.source, job.url) == (tmp_path / "one.in", "")
    assert options.place(f"file://{tmp_path}/out") == Folder(tmp_path / "out")


@pytest.mark.parametrize("url", ["nonsense://a/b", "memory://a"])
def test_stores_that_nobody_knows_are_refused_in_one_line(url, monkeypatch):
    if url.startswith("memory"):
        monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UnusableInput, match=r"nonsense|pip install 'quietlight\[distributed\]'") as caught:
        find_inputs([url], SUFFIXES)
    assert "\n" not in str(caught.value)
