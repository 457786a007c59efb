"""Draws 200 networks of queues and has them solved by LINE, a solver of queueing networks: `line_networks.json` is what it said.

LINE wants a pandas of before 3.0, so it has a virtual environment of its own, and the tests read the file:

    python -m venv line && line/bin/pip install line-solver==3.0.8.0 && line/bin/python tests/theory/line_networks.py

Source of the solver: Casale, "Integrated performance evaluation of extended queueing network models with LINE", Winter Simulation
Conference 2020. Open networks are solved by exact mean value analysis; closed ones, with priorities or without, by their Markov chain.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SOLVED = Path(__file__).with_name("line_networks.json")
WORK = ("exponential", "deterministic", "hyperexponential")


def networks() -> Iterator[dict[str, Any]]:
    """80 open networks, 80 closed ones and 40 closed ones with two classes, one of which goes first in every queue.

    A station has so many servers, or so many cores that all who are there share. Work in a queue is exponential; what is shared may have any
    distribution, because only its mean counts (Baskett, Chandy, Muntz and Palacios, Journal of the ACM 22(2), 1975), and LINE is told the
    mean. `next` is how often a visit to a station is followed by one to a later station.
    """
    dice = Random(20261130)
    for family, count in (("open", 80), ("closed", 80), ("priority", 40)):
        for number in range(count):
            yield drawn(f"{family}-{number}", family, dice)


def drawn(name: str, family: str, dice: Random) -> dict[str, Any]:
    names = "abcde"[: dice.randint(2, 5 if family == "open" else 3)]
    stations = {one: station(family, dice) for one in names}
    for place, one in enumerate(names):
        later = names[place + 1 :]
        others = [] if family == "priority" or len(later) < 2 else dice.sample(later[1:], dice.randint(0, 1))
        chosen = [*later[:1], *others]
        stations[one]["next"] = {other: round(dice.uniform(0.3, 0.95) / len(chosen), 3) for other in chosen}
    network = {"name": name, "family": family, "stations": stations}
    if family == "open":
        visits = visits_of(stations)
        busiest = max(visits[one] * stations[one]["mean_ms"] / stations[one]["servers"] for one in names)
        network["rate_per_s"] = round(1000 * dice.uniform(0.4, 0.72) / busiest, 3)
    else:
        few = family == "priority"
        users = {kind: dice.randint(2, 4 if few else 10) for kind in (("first", "second") if few else ("all",))}
        network["users"] = users
        network["think_ms"] = {kind: dice.randint(10, 60) for kind in users}
    return network


def station(family: str, dice: Random) -> dict[str, Any]:
    shared = family != "priority" and dice.random() < 0.4
    made = {"servers": dice.choice((1, 1, 2, 3)), "mean_ms": dice.randint(3, 20)}
    return {**made, "shared": dice.choice(WORK)} if shared else made


def visits_of(stations: dict[str, Any]) -> dict[str, float]:
    """How often a request visits each station: the first one once, and the others by who calls them."""
    visits = dict.fromkeys(stations, 0.0)
    visits[next(iter(stations))] = 1.0
    for one, settings in stations.items():
        for other, often in settings["next"].items():
            visits[other] += visits[one] * often
    return visits


def solved(network: dict[str, Any]) -> dict[str, Any]:
    """What LINE says: of each class the mean response and requests a second, of each station with a queue the mean wait of each class."""
    import line_solver as line  # noqa: PLC0415  (only where the file is made)

    line.GlobalConstants.set_verbose(line.VerboseLevel.SILENT)
    model, classes = modelled(network, line)
    solver = line.CTMC(model) if "users" in network else line.MVA(model, method="exact")
    table = solver.getAvgTable()
    by_place = {(str(row["Station"]), str(row["JobClass"])): row for _, row in table.iterrows()}
    visits = visits_of(network["stations"])
    response, throughput, waiting = {}, {}, {}
    for kind in classes:
        rows = {one: by_place[one, kind] for one in network["stations"]}
        response[kind] = float(sum(visits[one] * row["RespT"] for one, row in rows.items()))
        throughput[kind] = float(rows[next(iter(rows))]["Tput"])
        queues = {one: row for one, row in rows.items() if "shared" not in network["stations"][one]}
        waiting[kind] = {one: float(row["RespT"]) - network["stations"][one]["mean_ms"] for one, row in queues.items()}
    return {
        "response_ms": response,
        "throughput_per_s": {kind: 1000 * rate for kind, rate in throughput.items()},
        "waiting_ms": waiting,
    }


def modelled(network: dict[str, Any], line: Any) -> tuple[Any, list[str]]:
    """The network in LINE's words, times in milliseconds, and its classes."""
    model = line.Network(network["name"])
    is_open = "users" not in network
    outside = line.Source(model, "outside") if is_open else line.Delay(model, "think")
    discipline = line.SchedStrategy.HOL if network["family"] == "priority" else line.SchedStrategy.FCFS
    nodes = {}
    for one, settings in network["stations"].items():
        nodes[one] = line.Queue(model, one, line.SchedStrategy.PS if "shared" in settings else discipline)
        nodes[one].setNumberOfServers(settings["servers"])
    sink = line.Sink(model, "sink") if is_open else outside
    classes = {}
    for place, (kind, users) in enumerate(network.get("users", {"all": None}).items()):
        classes[kind] = line.OpenClass(model, kind) if is_open else line.ClosedClass(model, kind, users, outside, place)
        if is_open:
            outside.setArrival(classes[kind], line.Exp(network["rate_per_s"] / 1000))
        else:
            outside.setService(classes[kind], line.Exp(1 / network["think_ms"][kind]))
        for one, settings in network["stations"].items():
            nodes[one].setService(classes[kind], line.Exp(1 / settings["mean_ms"]))
    routes = model.initRoutingMatrix()
    for made in classes.values():
        routes.set(made, made, outside, nodes[next(iter(nodes))], 1.0)
        for one, settings in network["stations"].items():
            for other, often in settings["next"].items():
                routes.set(made, made, nodes[one], nodes[other], often)
            routes.set(made, made, nodes[one], sink, 1 - sum(settings["next"].values()))
    model.link(routes)
    return model, list(classes)


def main() -> None:
    """Writes the file."""
    lines = [json.dumps({**network, **solved(network)}) for network in networks()]
    SOLVED.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
