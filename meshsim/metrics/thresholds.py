"""The judgement of a scenario's thresholds against a summary, in k6's words.

| metric                | of                               | what is compared                                       |
|-----------------------|----------------------------------|--------------------------------------------------------|
| `latency`             | route, source, both; service     | as the caller saw it, failures included                |
| `errors`              | route, source, both; service     | failed requests; of a service: attempts                |
| `requests`            | route, source, both; service     | started; of a service: attempts                        |
| `goodput`             | route, source, both              | ended well in each second of the measured window       |
| `retry_amplification` | service; route, source           | attempts for each call; for each request of a route    |
| `utilisation`         | service                          | share of its workers that are held                     |
| `waiting_time`        | service                          | in the queue                                           |
| `wasted_work`         | service                          | share of the computing that nobody waited for          |

Without a label the figure is of all requests or, for the last three, of all services together.
"""

from __future__ import annotations

import operator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from meshsim.metrics.histogram import Histogram
from meshsim.metrics.summary import RequestSummary, ServiceSummary, Times
from meshsim.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshsim.metrics.summary import Summary

COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
