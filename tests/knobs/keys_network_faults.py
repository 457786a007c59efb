"""Keys of the network and of faults."""

from __future__ import annotations

import keys_measures as measure
from keys_worlds import ALL_LOST, Section, mesh_world
from rows import Row

BACK = {"replicas": 4, "zones": {"x": 1, "y": 3}, "subsets": {"v1": 1, "v2": 3}}
WHOLE_RUN = {"at": "0s", "for": "1h", "service": "back"}


def fault(**settings: object) -> Section:
    """One fault of the back, for the whole run where nothing else is said."""
    return {"faults": [{**WHOLE_RUN, **settings}]}


def chance(**settings: object) -> Section:
    """All replicas of the back fail and come back by chance, again and again."""
    return {"faults": [{"service": "back", "errors": "100%", "mtbf": "50ms", "mttr": "50ms", **settings}]}


def network_rows() -> list[Row]:
    """Rows of the network: of two calls one crosses zones."""
    zones = mesh_world(
        load={"zone": "x"}, front={"zone": "x"}, back={"zone": "y"}, network={"same_zone": "1ms", "cross_zone": "2ms"}
    )
    return [
        Row("NetworkSection.same_zone", zones, {}, {"network": {"same_zone": "5ms"}}, measure.latency, "more"),
        Row("NetworkSection.cross_zone", zones, {}, {"network": {"cross_zone": "5ms"}}, measure.latency, "more"),
    ]


def fault_rows() -> list[Row]:
    """Rows of faults: whom they strike is seen by how many requests fail."""
    world = mesh_world({"timeout": "500ms", "load_balancer": "round_robin"}, BACK)
    all_fail = fault(errors="100%")
    failures = measure.failures
    return [
        Row("FaultSection.at", world, all_fail, fault(errors="100%", at="500ms"), failures, "less"),
        Row(
            "FaultSection.for",
            world,
            fault(errors="100%", **{"for": "200ms"}),
            fault(errors="100%", **{"for": "700ms"}),
            failures,
            "more",
        ),
        Row(
            "FaultSection.service",
            world,
            all_fail,
            fault(errors="100%", service="front"),
            measure.tries_flagged("error", "back"),
            "less",
        ),
        Row("FaultSection.zone", world, fault(errors="100%", zone="x"), fault(errors="100%", zone="y"), failures, "more"),
        Row("FaultSection.subset", world, fault(errors="100%", subset="v1"), fault(errors="100%", subset="v2"), failures, "more"),
        Row("FaultSection.replicas", world, fault(errors="100%", replicas=1), fault(errors="100%", replicas=3), failures, "more"),
        Row(
            "FaultSection.instances",
            world,
            fault(errors="100%", instances=[3]),
            fault(errors="100%", instances=[0, 2]),
            failures,
            "more",
        ),
        Row("FaultSection.slow", world, fault(slow=2), fault(slow=5), measure.latency, "more"),
        Row("FaultSection.errors", world, fault(errors="20%"), fault(errors="80%"), failures, "more"),
        Row("FaultSection.crash", world, fault(slow=1), fault(crash=True), failures, "more"),
        Row("FaultSection.mtbf", world, chance(mtbf="100ms"), chance(mtbf="20ms"), failures, "more"),
        Row("FaultSection.mttr", world, chance(mttr="20ms"), chance(mttr="100ms"), failures, "more"),
        Row("FaultSection.together", world, chance(), chance(together=True), failures, "other"),
        Row("FaultSection.at by chance", world, chance(), chance(at="500ms"), failures, "less"),
        Row("FaultSection.for by chance", world, chance(), chance(**{"for": "500ms"}), failures, "less"),
        Row("FaultSection.unreachable", world, fault(slow=1), {"faults": ALL_LOST}, measure.flagged("UT"), "more"),
    ]


ROWS = [*network_rows(), *fault_rows()]
