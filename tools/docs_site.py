"""What the site needs beside `docs/` (a hook of mkdocs): pages that lie elsewhere in the repository, and links that lead out of it.

Pages keep the links that are right in the repository. Those to a page of the site lead there; those to a file that is no page
(code, recipes) become the file's name.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
ELSEWHERE = ("CHANGELOG.md", "CONTRIBUTING.md", "recipes/README.md", "models/*.md")
"""Pages of the site that do not lie in `docs/`."""
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie elsewhere, under their path in the repository."""
    for pattern in ELSEWHERE:
        for path in sorted(ROOT.glob(pattern)):
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Turn the links of the repository into those of the site."""
    source = page.file.src_uri
    folder = posixpath.dirname(source if is_elsewhere(source) else f"docs/{source}")
    known = set(files.src_uris)

    def turned(match: re.Match[str]) -> str:
        text, target, anchor = match.group(1), match.group(2), match.group(3) or ""
        path = posixpath.normpath(posixpath.join(folder, target))
        address = path.removeprefix("docs/")
        if address in known and (path.startswith("docs/") or is_elsewhere(address)):
            return f"[{text}]({posixpath.relpath(address, posixpath.dirname(source) or '.')}{anchor})"
        if path.startswith("docs/") or not (ROOT / path).exists():
            return match.group()  # mkdocs says what is wrong with it
        return f"{text} (`{path}`)"

    return _LINK.sub(turned, markdown)


def is_elsewhere(address: str) -> bool:
    """Whether a page of the site lies outside of `docs/`."""
    return any(Path(address).match(pattern) for pattern in ELSEWHERE) and (ROOT / address).is_file()
