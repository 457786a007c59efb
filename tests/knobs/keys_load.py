"""Keys of the load: what all executors share, turned for each of them, and what each has of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keys_measures as measure
from keys_worlds import RETRIES, Section, gateway_world, mesh_world, requests
from rows import Row

ARRIVALS = str(Path(__file__).parent / "arrivals.csv")
EXECUTORS: dict[str, Section] = {
    "ConstantArrivalRate": {"executor": "constant-arrival-rate", "rate": "50/s", "arrivals": "even"},
    "RampingArrivalRate": {
        "executor": "ramping-arrival-rate",
        "start_rate": "50/s",
        "stages": [{"target": "50/s", "duration": "1s"}],
        "arrivals": "even",
    },
    "ConstantUsers": {"executor": "constant-vus", "vus": 2, "think_time": "30ms"},
    "RampingUsers": {
        "executor": "ramping-vus",
        "start_vus": 2,
        "stages": [{"target": 2, "duration": "1s"}],
        "think_time": "30ms",
    },
    "PerUserIterations": {"executor": "per-vu-iterations", "vus": 2, "iterations": 40, "think_time": "30ms"},
    "SharedIterations": {"executor": "shared-iterations", "vus": 2, "iterations": 80, "think_time": "30ms"},
    "Replay": {"executor": "replay", "file": ARRIVALS, "column": "early", "unit": "ms"},
}
OPEN = ("ConstantArrivalRate", "RampingArrivalRate")
FINITE = ("PerUserIterations", "SharedIterations")
CLOSED = ("ConstantUsers", "RampingUsers", *FINITE)


def world(name: str, **rest: Any) -> Section:
    """The mesh under a load of an executor."""
    made = mesh_world(**rest)
    return {**made, "load": {"clients": {"requests": {"front": 1}, **EXECUTORS[name]}}, "run": {"duration": "2s"}}


def limited(name: str) -> Section:
    """Two loads of one consumer at a gateway that limits each consumer."""
    bucket = {"max_tokens": 4, "tokens_per_fill": 1, "fill_interval": "10s"}
    made = gateway_world(gateway={"filters": [{"rate_limit": {"token_bucket": bucket, "key": "consumer"}}]})
    clients = {"requests": {"main": 1}, "consumer": "acme", **EXECUTORS[name]}
    others = {**requests("20/s", "main"), "consumer": "acme"}
    return {**made, "load": {"clients": clients, "others": others}, "run": {"duration": "2s"}}


def hashed(name: str, **keys: Any) -> Section:
    """A load of an executor at a gateway that sends each key to an instance of its own."""
    made = gateway_world({"load_balancer": "ring_hash", "hash_on": "key"}, {"replicas": 8})
    clients = {"requests": {"main": 1}, **EXECUTORS[name], **({"keys": keys} if keys else {})}
    return {**made, "load": {"clients": clients}, "run": {"duration": "2s"}}


def change(**settings: Any) -> Section:
    """A change of the load."""
    return {"load": {"clients": settings}}


def instead(name: str, **settings: Any) -> Section:
    """A load of another executor in place of the one that is there."""
    return {"load": {"clients": None, "others": {"requests": {"front": 1}, **EXECUTORS[name], **settings}}}


def shared(name: str) -> list[Row]:
    """Rows of what all executors share."""
    far = world(name, front={"zone": "x"}, network={"same_zone": "1ms", "cross_zone": "20ms"})
    return [
        Row(
            f"{name}.requests", world(name), change(requests={"front": 1, "back": 1}), change(requests={"front": 1, "back": 9}),
            measure.attempts_at("front"), "less",
        ),
        Row(f"{name}.timeout", world(name), change(timeout="none"), change(timeout="5ms"), measure.flagged("DC"), "more"),
        Row(f"{name}.patience", world(name), change(patience="1s"), change(patience="5ms"), measure.flagged("DC"), "more"),
        Row(f"{name}.retries", world(name, front={"errors": "100%"}), {}, change(retries=RETRIES), measure.tries, "more"),
        Row(
            f"{name}.consumer", limited(name), change(consumer="acme"), change(consumer="zenith"), measure.flagged("RL"), "less",
        ),
        Row(f"{name}.zone", far, change(zone="x"), change(zone="y"), measure.latency, "more"),
        Row(f"{name}.start", world(name), {}, change(start="500ms"), measure.first_start, "more"),
        Row(f"{name}.keys", hashed(name), {}, change(keys={"count": 1}), measure.instances_used, "less"),
    ]  # fmt: skip


def rows() -> list[Row]:
    """All rows of the load."""
    constant, ramp, users, ramping_users, *_, replay = (world(name) for name in EXECUTORS)
    busy = {"workers": 1, "script": [{"compute": "50ms"}]}
    return [
        *(row for name in EXECUTORS for row in shared(name)),
        Row("ConstantArrivalRate.arrivals", constant, {}, change(arrivals="poisson"), measure.uneven_gaps, "more"),
        Row(
            "RampingArrivalRate.arrivals", {**ramp, "run": {"duration": "2s", "seed": 3}}, {}, change(arrivals="poisson"),
            measure.uneven_gaps, "more",
        ),
        Row("ConstantArrivalRate.executor", world("ConstantUsers", back=busy), {}, instead("ConstantArrivalRate"), measure.asked, "more"),
        Row("RampingArrivalRate.executor", constant, {}, instead("RampingArrivalRate"), measure.last_start, "less"),
        Row("ConstantUsers.executor", world("ConstantArrivalRate", back=busy), {}, instead("ConstantUsers"), measure.asked, "less"),
        Row(
            "RampingUsers.executor", users, {}, instead("RampingUsers", stages=[{"target": 0, "duration": "1s"}]),
            measure.last_start, "less",
        ),
        Row("Replay.executor", constant, {}, instead("Replay"), measure.asked, "less"),
        Row("ConstantArrivalRate.rate", constant, {}, change(rate="100/s"), measure.asked, "more"),
        Row("ConstantArrivalRate.duration", constant, {}, change(duration="1s"), measure.asked, "less"),
        Row("RampingArrivalRate.start_rate", ramp, {}, change(start_rate="100/s"), measure.asked, "more"),
        Row(
            "RampingArrivalRate.stages", ramp, {}, change(stages=[{"target": "50/s", "duration": "1s"}, {"target": 0, "duration": "1s"}]),
            measure.last_start, "more",
        ),
        Row("RateStage.target", ramp, {}, change(stages=[{"target": "150/s", "duration": "1s"}]), measure.asked, "more"),
        Row("RateStage.duration", ramp, {}, change(stages=[{"target": "50/s", "duration": "2s"}]), measure.asked, "more"),
        *(Row(f"{name}.think_time", world(name), {}, change(think_time="90ms"), measure.asked, "less") for name in CLOSED),
        Row("ConstantUsers.vus", users, {}, change(vus=4), measure.asked, "more"),
        Row("ConstantUsers.duration", users, {}, change(duration="1s"), measure.asked, "less"),
        *(Row(f"{name}.executor", users, {}, instead(name), measure.last_start, "less") for name in FINITE),
        *(Row(f"{name}.iterations", world(name), {}, change(iterations=30), measure.asked, "less") for name in FINITE),
        *(Row(f"{name}.max_duration", world(name), {}, change(max_duration="500ms"), measure.asked, "less") for name in FINITE),
        Row("PerUserIterations.vus", world("PerUserIterations"), {}, change(vus=4), measure.asked, "more"),
        Row("SharedIterations.vus", world("SharedIterations"), {}, change(vus=4), measure.last_start, "less"),
        Row("RampingUsers.start_vus", ramping_users, {}, change(start_vus=6), measure.asked, "more"),
        Row(
            "RampingUsers.stages", ramping_users, {}, change(stages=[{"target": 2, "duration": "1s"}, {"target": 9, "duration": "1s"}]),
            measure.asked, "more",
        ),
        Row("UserStage.target", ramping_users, {}, change(stages=[{"target": 9, "duration": "1s"}]), measure.asked, "more"),
        Row("UserStage.duration", ramping_users, {}, change(stages=[{"target": 2, "duration": "2s"}]), measure.asked, "more"),
        Row("Replay.file", replay, {}, change(file=ARRIVALS.replace("arrivals", "arrivals_twice")), measure.asked, "more"),
        Row("Replay.column", replay, {}, change(column="late"), measure.first_start, "more"),
        Row("Replay.unit", replay, {}, change(unit="us"), measure.last_start, "less"),
        Row("Replay.duration", replay, {}, change(duration="100ms"), measure.asked, "less"),
        Row("KeysSection.count", hashed("ConstantArrivalRate", count=1), {}, change(keys={"count": 50}), measure.instances_used, "more"),
        Row(
            "KeysSection.names", hashed("ConstantArrivalRate", names=["ann"]), {}, change(keys={"names": ["ann", "bob", "cat", "dan"]}),
            measure.instances_used, "more",
        ),
        Row("KeysSection.zipf", hashed("ConstantArrivalRate", count=50), {}, change(keys={"zipf": 4}), measure.spread, "more"),
    ]  # fmt: skip


ROWS = rows()
