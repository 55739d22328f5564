"""Two processes that share a batch learn what one process learns."""

import json
import math
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from quietlight import zoo
from quietlight.train import checkpoint
from quietlight.train.trainer import train

CODE = """
import sys, torch
from pathlib import Path
from quietlight.train import trainer
from quietlight.train.recipe import from_json
torch.set_num_threads(1)
trainer.VALIDATION_SAMPLES, trainer.LOG_STEPS = 2, 1
print(trainer.train(from_json(sys.argv[1]), Path(sys.argv[2]), budget=float(sys.argv[3])))
"""


@pytest.fixture
def two_processes(photos):
    """A function that trains a recipe in two processes and returns what each printed: the weights file or None."""

    def run(recipe, out, budget=math.inf):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        processes = []
        for rank in ("0", "1"):
            names = {
                "RANK": rank,
                "LOCAL_RANK": rank,
                "WORLD_SIZE": "2",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": port,
            }
            environment = {**os.environ, **names, "OMP_NUM_THREADS": "1"}
            command = [sys.executable, "-W", "error:::quietlight", "-c", CODE, recipe.to_json(), str(out), str(budget)]
            processes.append(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=photos.parent)
            )
        outputs = [process.communicate(timeout=120)[0].strip() for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
        return outputs

    return run


def test_two_processes_equal_one(two_processes, miniature, tmp_path):
    # Five samples: three for one process, two for the other, in parts of two and one.
    recipe = miniature("unet-gray", "steps=10", "batch=5", "accumulate=2")
    alone = train(recipe, tmp_path / "one")
    first, second = two_processes(recipe, tmp_path / "two")
    assert (first, second) == (str(tmp_path / "two" / "unet-gray.safetensors"), "None")
    one, two = ((tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("one", "two"))
    assert len(one) == 11
    for a, b in zip(map(json.loads, one), map(json.loads, two), strict=True):
        assert b["step"] == a["step"]
        assert b["loss"] == pytest.approx(a["loss"], rel=1e-4)
        assert b["gradient"] == pytest.approx(a["gradient"], rel=1e-2)
    a, b = (zoo.read(str(weights)).tensors for weights in (alone, first))
    assert all(np.allclose(a[key], b[key], atol=2e-3) for key in a)


def test_processes_whose_time_is_over_stop_at_the_same_step_and_go_on(two_processes, miniature, tmp_path):
    recipe = miniature("dncnn-s")
    assert two_processes(recipe, tmp_path, budget=0.0) == ["None", "None"]
    assert checkpoint.latest(tmp_path).name == "step-00000001.safetensors"
    assert train(recipe, tmp_path) == tmp_path / "dncnn-s.safetensors"
