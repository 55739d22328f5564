"""Many files -> many files: jobs, what is done with each, and where results go; in turn, in many processes, or on many machines."""

from quietlight.batch.inputs import BurstChoice, Job, as_bursts, find_inputs, target_of
from quietlight.batch.outcome import Outcome
from quietlight.batch.places import Folder, Place
from quietlight.batch.run import Runner, in_turn, run
from quietlight.batch.tasks import Task, copy_sidecars, read_job

__all__ = [
    "BurstChoice",
    "Folder",
    "Job",
    "Outcome",
    "Place",
    "Runner",
    "Task",
    "as_bursts",
    "copy_sidecars",
    "find_inputs",
    "in_turn",
    "read_job",
    "run",
    "target_of",
]
