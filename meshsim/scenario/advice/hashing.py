"""Load balancers by hash that have nothing to hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing import Hashing
from meshsim.scenario.advice.destinations import using
from meshsim.scenario.advice.remark import Kind, Remark
from meshsim.scenario.sections.loads import ClosedLoad

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.policies.load_balancing import LoadBalancer
    from meshsim.scenario.advice.destinations import Destination
    from meshsim.scenario.flow.flow import Flow

AT_RANDOM = "every request goes to a host at random"


def without_a_hash(flow: Flow) -> Iterator[Remark]:
    """A balancer that keeps together what has one hash, and requests that have none."""
    loads = _loads(flow)
    for path, all_of_it in using(flow, "load_balancer"):
        blind = [one for one in all_of_it if _hashes(one.traffic.load_balancer) and one.traffic.hash_on is None]
        if blind:
            name = next(iter(all_of_it[0].written("load_balancer").model_fields_set))
            yield Remark(
                Kind.BALANCER_WITHOUT_HASH,
                path,
                f"{name} has nothing to hash for {_services(blind)}, so that {AT_RANDOM}; write hash_on: key, and give the load"
                " `keys: {count: 1000}`",
            )
    for path, all_of_it in using(flow, "hash_on"):
        hashing = [one for one in all_of_it if _hashes(one.traffic.load_balancer)]
        if not hashing:
            yield Remark(
                Kind.HASH_WITHOUT_BALANCER,
                path,
                f"nothing hashes the requests to {_services(all_of_it)}; write load_balancer: ring_hash or maglev beside it",
            )
            continue
        blind = [one for one in hashing if loads.get(one.service) and not _is_told_apart(flow, one, loads[one.service])]
        if blind:
            yield Remark(Kind.NOTHING_TO_HASH, path, _nothing_to_tell_apart(str(blind[0].traffic.hash_on), blind, loads))


def _hashes(balancer: LoadBalancer) -> bool:
    inner = getattr(balancer, "load_balancer", None)  # subsetting picks its hosts by another
    return isinstance(balancer, Hashing) or isinstance(inner, Hashing)


def _loads(flow: Flow) -> dict[str, list[str]]:
    """The loads whose requests reach each service."""
    found: dict[str, list[str]] = {}
    for way in flow.ways():
        known = found.setdefault(way.hops[-1].target.service, [])
        if way.source.name not in known:
            known.append(way.source.name)
    return found


def _is_told_apart(flow: Flow, one: Destination, loads: list[str]) -> bool:
    """Whether any of the loads has what the hash is of."""
    sections = [flow.scenario.load[name] for name in loads]
    match one.traffic.hash_on:
        case "key":
            return any(section.keys is not None for section in sections)
        case "consumer":
            return any(section.consumer for section in sections)
        case "user":
            return any(isinstance(section, ClosedLoad) for section in sections)
    return True


def _nothing_to_tell_apart(what: str, blind: list[Destination], loads: dict[str, list[str]]) -> str:
    names = ", ".join(dict.fromkeys(name for one in blind for name in loads[one.service]))
    reach = f"that reaches {_services(blind)} ({names})"
    match what:
        case "key":
            return f"no load {reach} has `keys`, so that {AT_RANDOM}; write `keys: {{count: 1000}}` there"
        case "consumer":
            return f"no load {reach} has a `consumer`, so that {AT_RANDOM}; write consumer: in each load"
    return (
        f"no load {reach} has users who come back: each request is a user of its own, and goes to a host at random;"
        " write executor: constant-vus, or hash_on: key"
    )


def _services(some: list[Destination]) -> str:
    return ", ".join(dict.fromkeys(one.service for one in some))


CHECKS = (without_a_hash,)
