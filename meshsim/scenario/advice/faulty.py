"""Faults that strike nobody, and what waits for a fault that never comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Kind, Remark
from meshsim.scenario.sections.faults import GATEWAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.sections.faults import FaultSection
    from meshsim.scenario.sections.services import PlacedSection


def of_nobody(flow: Flow) -> Iterator[Remark]:
    """A fault of a gateway that is not deployed, or of replicas that are not where it says."""
    for index, fault in enumerate(flow.scenario.faults):
        if fault.service == GATEWAY and not flow.has_gateway:
            message = f"deployment: {flow.scenario.deployment} has no gateway, so that this fault strikes nobody"
            yield Remark(Kind.FAULT_WITHOUT_A_GATEWAY, ("faults", index, "service"), message)
        elif fault.service is not None and not _strikes(fault, _place(flow, fault.service)):
            whose = "the gateway" if fault.service == GATEWAY else fault.service
            which = "" if fault.instances is None else f" that is number {' or '.join(map(str, fault.instances))}"
            yield Remark(
                Kind.FAULT_STRIKES_NOBODY,
                ("faults", index, "zone"),
                f"no replica of {whose}{which} is in {fault.zone}, so that this fault strikes nobody",
            )


def readiness_of_the_gateway(flow: Flow) -> Iterator[Remark]:
    """A probe of replicas that nothing takes away."""
    gateway = flow.scenario.gateway
    if gateway is None or not flow.has_gateway or gateway.readiness is None:
        return
    taken = [fault for fault in flow.scenario.faults if fault.crash or fault.unreachable]
    if not any(fault.strikes(GATEWAY) and _strikes(fault, gateway) for fault in taken):
        yield Remark(
            Kind.NOTHING_TAKES_THE_GATEWAY,
            ("gateway", "readiness"),
            "no fault takes a replica of the gateway away, so that this does nothing; restarts are known at once",
        )


def waiting_for_a_lost_gateway(flow: Flow) -> Iterator[Remark]:
    """Clients without a timeout whose messages to the gateway are lost."""
    gateway = flow.scenario.gateway
    if gateway is None or not flow.has_gateway:
        return
    patient = [name for name, load in flow.scenario.load.items() if load.timeout is None and load.patience is None]
    verb = "has no timeout, and waits" if len(patient) == 1 else "have no timeout, and wait"
    for index, fault in enumerate(flow.scenario.faults):
        if patient and fault.unreachable and fault.strikes(GATEWAY) and _strikes(fault, gateway):
            yield Remark(
                Kind.GATEWAY_LOST_WITHOUT_TIMEOUT,
                ("faults", index, "unreachable"),
                f"{', '.join(patient)} {verb} 15m24.6s for what is lost on the way to the gateway, as TCP does; write a timeout",
            )


def _place(flow: Flow, name: str) -> PlacedSection:
    gateway = flow.scenario.gateway
    return gateway if name == GATEWAY and gateway is not None else flow.scenario.services[name]


def _strikes(fault: FaultSection, place: PlacedSection) -> bool:
    """Whether any replica is where a fault strikes; those that come later are where others are."""
    if fault.zone is None:
        return True
    counts = place.zones or {place.zone or "": place.replicas}
    if getattr(place, "scale", None) or getattr(place, "autoscaling", None):
        return fault.zone in counts
    zones = [zone for zone in sorted(counts) for _ in range(counts[zone])]
    return any(zone == fault.zone and (fault.instances is None or number in fault.instances) for number, zone in enumerate(zones))


CHECKS = (of_nobody, readiness_of_the_gateway, waiting_for_a_lost_gateway)
