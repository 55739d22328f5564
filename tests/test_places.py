"""Folders are where the platform keeps such things."""

import pytest

from quietlight import places


@pytest.mark.parametrize(
    ("platform", "expected"), [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")]
)
def test_the_folder_is_the_platforms_own(platform, expected, tmp_path, monkeypatch):
    for name in ("QUIETLIGHT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(places.sys, "platform", platform)
    monkeypatch.setattr(places.Path, "home", lambda: tmp_path)
    assert places.cache_folder() == tmp_path / expected / "quietlight"
