"""What stands beside a file is found, in its folder first."""

import pytest

from quietlight.data.licences import Licence, licence_lines, licence_of


def test_a_table_speaks_for_its_files(tmp_path):
    (tmp_path / "ATTRIBUTION.tsv").write_text(
        "file\tsource\tauthor\tlicence\na.jpg\there\t\tCC BY 4.0\nsub/b.jpg\tthere\tEve\tCC0\nbroken\n\n", "utf-8"
    )
    assert licence_of(tmp_path / "a.jpg") == Licence("CC BY 4.0", (("source", "here"),))
    assert licence_of(tmp_path / "sub" / "b.jpg", 1) == Licence("CC0", (("source", "there"), ("author", "Eve")))
    assert licence_of(tmp_path / "sub" / "a.jpg", 1) == Licence("CC BY 4.0", (("source", "here"),))
    assert licence_of(tmp_path / "sub" / "b.jpg") is None
    assert licence_of(tmp_path / "c.jpg") is None


@pytest.mark.parametrize("name", ["LICENSE", "LICENCE.txt", "COPYING", "license.md"])
def test_a_text_speaks_for_its_folder(tmp_path, name):
    (tmp_path / name).write_text("\n  CC0 1.0 Universal \nmore", "utf-8")
    found = licence_of(tmp_path / "sub" / "a.jpg", 1)
    assert found == Licence("CC0 1.0 Universal")


def test_the_nearest_one_counts_and_the_table_before_the_text(tmp_path):
    sub = tmp_path / "sub"
    sub.mkdir()
    (tmp_path / "LICENSE").write_text("far")
    (sub / "LICENSE").write_text("near")
    (sub / "ATTRIBUTION.tsv").write_text("file\tlicense\na.jpg\tthat of the row\n")
    assert licence_of(sub / "a.jpg", 1) == Licence("that of the row")
    assert licence_of(sub / "b.jpg", 1) == Licence("near")


def test_licences_are_counted():
    lines = licence_lines([{"licence": "B"}, {"licence": "A"}, {"licence": "A"}], "manifest.json")
    assert lines[1:] == ["  - 2 of: A", "  - 1 of: B"]
