"""Where work is done: processes that die, batches, and a scheduler that is not there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from meshsim.errors import SeamError
from meshsim.experiments.seam import Seam


def square(task: int) -> int:
    return task * task


def who(task: int) -> tuple[int, int]:
    time.sleep(0.01)
    return task, os.getpid()


def die_once(task: tuple[int, str]) -> int:
    number, marker = task
    if number == 5:
        try:
            Path(marker).touch(exist_ok=False)
        except FileExistsError:
            return number
        os._exit(9)
    return number


def die(task: int) -> int:
    os._exit(9)
    return task


def fail(task: int) -> int:
    raise ValueError(f"task {task} fails")


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_task_comes_back_once_with_its_outcome(jobs: int) -> None:
    found = list(Seam(jobs=jobs).stream(square, range(50)))

    assert sorted(found) == [(task, task * task) for task in range(50)]


def test_short_tasks_travel_in_batches_and_to_all_processes() -> None:
    began_s = time.perf_counter()
    processes = {process for _, (_, process) in Seam(jobs=2).stream(who, range(200))}

    assert len(processes) == 2
    assert os.getpid() not in processes
    assert time.perf_counter() - began_s < 30


def test_nothing_to_do_starts_no_process() -> None:
    assert list(Seam(jobs=2).stream(square, [])) == []


def test_the_tasks_of_a_process_that_dies_are_done_again(tmp_path: Path) -> None:
    tasks = [(number, str(tmp_path / "died")) for number in range(20)]

    assert sorted(number for _, number in Seam(jobs=2).stream(die_once, tasks)) == list(range(20))
    assert (tmp_path / "died").exists()


def test_processes_that_keep_dying_end_it_with_a_message() -> None:
    with pytest.raises(
        SeamError, match=r"^worker processes died 4 times in a row, as they do when memory runs out; try fewer --jobs$"
    ):
        list(Seam(jobs=2).stream(die, range(4)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_raises_comes_through(jobs: int) -> None:
    with pytest.raises(ValueError, match=r"^task . fails$"):
        list(Seam(jobs=jobs).stream(fail, range(4)))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("tcp://127.0.0.1:1", r"cannot reach the scheduler tcp://127.0.0.1:1 \(Timed out .*\); start one with `dask scheduler`"),
        ("nonsense", r"cannot reach the scheduler nonsense \(missing port number in address 'nonsense'\); start one with .*"),
    ],
)
def test_a_scheduler_that_is_not_there_is_told(address: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshsim.experiments.cluster.PATIENCE_S", 1)

    with pytest.raises(SeamError, match=f"^{reason}$"):
        list(Seam(scheduler=address).stream(square, [1]))


def test_without_dask_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshsim.experiments.cluster.distributed", None)

    with pytest.raises(SeamError, match=r"^--scheduler needs Dask: pip install 'meshsim\[dask\]'$"):
        list(Seam(scheduler="tcp://127.0.0.1:8786").stream(square, [1]))
