"""A comparison on a real Dask scheduler with two worker processes, one of which is killed in the middle."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("distributed", reason="Dask is not installed")

SCENARIO = """\
name: shop
load: {shoppers: {executor: constant-arrival-rate, arrivals: poisson, rate: 400/s, requests: {cart: 1}}}
services:
  cart: {replicas: 2, workers: 4, script: [{compute: {exponential: {mean: 5ms}}}, {call: payment}]}
  payment: {replicas: 2, workers: 4, script: [{compute: {exponential: {mean: 8ms}}}], errors: 1%}
variants:
  as-is: {}
  more: {services: {payment: {replicas: 3}}}
run: {duration: 8s, warm_up: 1s, seed: 3, replications: 12}
"""
DASK = [sys.executable, "-m", "dask"]


@contextmanager
def dask(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([*DASK, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for_workers(address: str, count: int) -> None:
    import distributed  # noqa: PLC0415 — see importorskip

    with distributed.Client(address, timeout=300, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=300)


def meshsim(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "meshsim", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def digests(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_a_killed_worker_changes_nothing(tmp_path: Path) -> None:
    """Nor do the cluster, two processes or one: the same bytes."""
    (tmp_path / "shop.yaml").write_text(SCENARIO, encoding="utf-8")
    address = f"tcp://127.0.0.1:{(port := free_port())}"
    worker = ("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / "dask"))
    with dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"), dask(*worker) as victim, dask(*worker):
        wait_for_workers(address, 2)
        run = meshsim(tmp_path, "compare", "shop.yaml", "--scheduler", address, "--out", "cluster", "-q", "-o", "json")
        partial = tmp_path / "cluster.partial"
        deadline_s = time.monotonic() + 120
        while len(list(partial.glob("*/replication-*"))) < 3 and time.monotonic() < deadline_s:
            assert run.poll() is None
            time.sleep(0.05)
        victim.send_signal(signal.SIGKILL)
        done_before = len(list(partial.glob("*/replication-*")))
        _, complaints = run.communicate(timeout=240)

    assert (run.returncode, complaints) == (0, "")
    assert victim.returncode == -signal.SIGKILL
    assert 3 <= done_before < 24
    on_cluster = digests(tmp_path / "cluster")
    assert len([name for name in on_cluster if name.endswith("summary.json")]) == 24
    for jobs in ("1", "2"):
        done = meshsim(tmp_path, "compare", "shop.yaml", "--jobs", jobs, "--out", f"jobs-{jobs}", "-q", "-o", "json")
        done.communicate(timeout=240)
        assert done.returncode == 0
        assert digests(tmp_path / f"jobs-{jobs}") == on_cluster


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_goes_away_is_told_and_what_is_done_is_kept(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SCENARIO, encoding="utf-8")
    address = f"tcp://127.0.0.1:{(port := free_port())}"
    worker = ("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / "dask"))
    with dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard") as scheduler, dask(*worker):
        wait_for_workers(address, 1)
        run = meshsim(tmp_path, "compare", "shop.yaml", "--scheduler", address, "--out", "out", "-q", "--replications", "40")
        partial = tmp_path / "out.partial"
        deadline_s = time.monotonic() + 120
        while len(list(partial.glob("*/replication-*"))) < 3 and time.monotonic() < deadline_s:
            assert run.poll() is None
            time.sleep(0.05)
        scheduler.kill()
        shown, complaints = run.communicate(timeout=300)
    kept = len(list(partial.glob("*/replication-*")))

    assert (run.returncode, shown) == (1, "")
    assert kept >= 3
    assert complaints == (
        f"meshsim: the scheduler {address} is gone; {kept} replications are kept in out.partial; the same command with --resume goes on "
        "from there\n"
    )


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done_and_resume_goes_on(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SCENARIO, encoding="utf-8")
    command = ("compare", "shop.yaml", "--jobs", "2", "--out", "out", "-q", "-o", "json")
    run = subprocess.Popen(
        [sys.executable, "-m", "meshsim", *command], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    partial = tmp_path / "out.partial"
    deadline_s = time.monotonic() + 120
    while len(list(partial.glob("*/replication-*"))) < 3 and time.monotonic() < deadline_s:
        assert run.poll() is None
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to all processes
    shown, complaints = run.communicate(timeout=300)
    kept = len(list(partial.glob("*/replication-*")))

    assert (run.returncode, shown) == (130, "")
    assert complaints == (
        f"meshsim: interrupted: {kept} replications are kept in out.partial; the same command with --resume goes on from there\n"
    )
    refused = meshsim(tmp_path, *command)
    _, complaints = refused.communicate(timeout=300)
    assert refused.returncode == 1
    assert complaints == (
        f"meshsim: out.partial holds {kept} replications of an interrupted run; add --resume to go on from there, or delete it to begin "
        "anew\n"
    )
    for arguments in ((*command, "--resume"), ("compare", "shop.yaml", "--jobs", "1", "--out", "whole", "-q", "-o", "json")):
        done = meshsim(tmp_path, *arguments)
        done.communicate(timeout=240)
        assert done.returncode == 0
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")
    assert not partial.exists()
