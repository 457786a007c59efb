"""Timeouts that contradict each other, or what they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice.destinations import hosts_of
from meshsim.scenario.advice.remark import Kind, Remark, time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow, Way
    from meshsim.scenario.flow.reading import Layer


def per_try_timeouts(flow: Flow) -> Iterator[Remark]:
    """A per-try timeout that cannot fire before the timeout over all tries."""
    for layer, _ in flow.guarded():
        tries = layer.tries
        if layer.timeout_ns and tries.per_try_timeout_ns >= layer.timeout_ns:
            yield Remark(
                Kind.PER_TRY_TIMEOUT_NEVER_FIRES,
                (*tries.path, "per_try_timeout"),
                f"per_try_timeout is {time(tries.per_try_timeout_ns)}, and the timeout over all tries of {layer.who} is"
                f" {time(layer.timeout_ns)}: per_try_timeout never fires, and nothing that times out is retried;"
                f" write less than {time(layer.timeout_ns)}",
            )


def longer_than_the_callers(flow: Flow) -> Iterator[Remark]:
    """A timeout that outlasts the patience of those who wait for the caller."""
    worst: dict[object, tuple[float, Remark]] = {}
    for way in flow.ways():
        for patience, whose, layer in _outlasting(way):
            remark = Remark(
                Kind.TIMEOUT_OUTLASTS_CALLER,
                layer.timeout_path,
                f"{layer.who} waits {time(layer.timeout_ns)}, and {whose} gives up after {time(patience)}:"
                f" the rest is work for nobody; write {time(patience)} or less",
            )
            if layer.timeout_path not in worst or patience < worst[layer.timeout_path][0]:
                worst[layer.timeout_path] = (patience, remark)
    for _, remark in worst.values():
        yield remark


def _outlasting(way: Way) -> Iterator[tuple[float, str, Layer]]:
    patience, whose = float("inf"), ""
    for hop in way.hops:
        for layer in hop.layers:
            if layer.timeout_path and layer.timeout_ns > patience:
                yield patience, whose, layer
            limits = ((layer.timeout_ns, layer.who), (layer.tries.per_try_timeout_ns, f"each try of {layer.who}"))
            for limit_ns, limited in limits:
                if 0 < limit_ns < patience:
                    patience, whose = limit_ns, limited


def shorter_than_the_work(flow: Flow) -> Iterator[Remark]:
    """A timeout that what it covers exceeds in the mean, even when nothing waits."""
    for way in flow.ways():
        hop = way.hops[-1]
        least = flow.least_ns(hop.target.key)
        for layer in hop.layers:
            if layer.timeout_path and 0 < layer.timeout_ns < least:
                yield Remark(Kind.TIMEOUT_BELOW_THE_WORK, layer.timeout_path, _too_short(hop.target.key, least, layer.timeout_ns))
            if layer.tries.path and 0 < layer.tries.per_try_timeout_ns < least:
                yield Remark(
                    Kind.TIMEOUT_BELOW_THE_WORK,
                    (*layer.tries.path, "per_try_timeout"),
                    _too_short(hop.target.key, least, layer.tries.per_try_timeout_ns),
                )


def _too_short(key: str, least: float, timeout: float) -> str:
    return f"{key} takes {time(least)} in the mean even when nothing waits, and {time(timeout)} is less; write more"


def without_an_end(flow: Flow) -> Iterator[Remark]:
    """A fault that loses messages, and callers who wait for them as long as TCP does."""
    for index, fault in enumerate(flow.scenario.faults or ()):
        if not fault.unreachable:
            continue
        for way in flow.ways():
            target = way.hops[-1].target.service
            is_struck = fault.service in {None, target} and (
                fault.zone is None or any(host.zone == fault.zone for host in hosts_of(flow.scenario.services[target]))
            )
            if is_struck and not any(layer.has_an_end for hop in way.hops for layer in hop.layers):
                yield Remark(
                    Kind.NOTHING_ENDS_THE_CALL,
                    ("faults", index, "unreachable"),
                    f"no timeout ends a call along {way.names}: a caller that waits for {target} when it becomes unreachable waits until"
                    " TCP gives up, a quarter of an hour, however short the fault; write a timeout",
                )
                break


def too_many_chains(flow: Flow) -> Iterator[Remark]:
    """More chains of calls than anybody looks at."""
    seen = sum(1 for _ in flow.ways())
    if flow.has_more_ways:
        yield Remark(
            Kind.NOT_ALL_CHAINS,
            ("services",),
            f"timeouts and retries were checked along the first {seen:,} chains of calls only; there are more",
        )


CHECKS = (per_try_timeouts, longer_than_the_callers, shorter_than_the_work, without_an_end, too_many_chains)
