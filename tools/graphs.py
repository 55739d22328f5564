"""Write the graphs of our networks, without weights, to where the engines find them: `python tools/graphs.py`.

Those of all weights of the wheel, and of the recipes that systems take weights of once they are trained. Those that are there stay,
unless `--again` is given, which is needed where a network computes something else than before. Takes some minutes.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quietlight import zoo
from quietlight.engine.graphs import FOLDER, file_of
from quietlight.engine.inputs import counts_of
from quietlight.engine.trace import graphs_of
from quietlight.train import recipe

RECIPES = Path(__file__).parents[1] / "recipes"
AWAITED = "kpn", "cameranet"


def networks() -> Iterator[tuple[str, dict[str, Any]]]:
    """(network, arguments) of all graphs, each once."""
    pairs = [(w.network, w.arguments) for w in map(zoo.read, filter(zoo.in_wheel, zoo.names()))]
    for name in AWAITED:
        network = recipe.load(RECIPES / f"{name}.toml").network
        pairs.append((network.name, network.arguments))
    seen = {json.dumps(pair, sort_keys=True): pair for pair in pairs}
    yield from seen.values()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true")
    again = parser.parse_args().again
    FOLDER.mkdir(exist_ok=True)
    kept = set()
    for network, arguments in networks():
        paths = {file_of(network, arguments, *asked) for asked in counts_of(network, arguments).items()}
        kept |= paths
        if again or not all(path.exists() for path in paths):
            for method, count, graph in graphs_of(network, arguments):
                path = file_of(network, arguments, method, count)
                path.write_bytes(gzip.compress(graph, mtime=0))
                print(path.name, path.stat().st_size, flush=True)
    for path in set(FOLDER.glob("*")) - kept:
        path.unlink()


if __name__ == "__main__":
    main()
