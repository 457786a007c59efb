"""Readings of the load for filters that shed by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.proxies.proxy import Proxy
    from meshsim.engines.reference.proxies.screening import Screen
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.time.station import Station


def read_load(clock: Clock, proxy: Proxy, station: Station) -> None:
    """Begin to tell the filters of a proxy that want to know how busy a station is: at the gateway its own, at a service the instance's."""
    for number, one in enumerate(proxy.screen.filters):
        if one.load_interval_ns:
            clock.process(_read(clock, proxy.screen, number, station, one.load_interval_ns, proxy.born_ns))


def _read(
    clock: Clock, screen: Screen, number: int, station: Station, interval_ns: int, born_ns: int
) -> Generator[simpy.Event, None, None]:
    """A SimPy process: a reading at every interval since the proxy began."""
    yield clock.pause(born_ns % interval_ns)
    if born_ns % interval_ns:
        screen.filters[number].load(station.load)
    while True:
        yield clock.pause(interval_ns)
        screen.filters[number].load(station.load)
