"""Token bucket and GCRA under Poisson arrivals: the loss of M/D/1 with so many places as the bucket holds."""

from __future__ import annotations

from math import log, sqrt
from statistics import mean, stdev

import pytest

from meshsim.policies.admission import Gcra, TokenBucket
from meshsim.randomness import uniform

SECOND = 1_000_000_000
BATCHES, BATCH = 40, 5_000


@pytest.mark.parametrize("kind", ["token_bucket", "gcra"])
@pytest.mark.parametrize(
    ("arrival_rate", "burst", "rejected"),
    [(80, 5, 0.03529039644), (100, 10, 0.05084745763), (150, 20, 0.3333333435)],
)
def test_the_share_that_is_rejected_is_the_loss_of_an_m_d_1_queue(kind, arrival_rate, burst, rejected):
    """At 100 tokens a second. Tijms, "A First Course in Stochastic Models", 2003, section 9.7.

    Tolerance: 4.5 standard errors of 40 batch means, odds of a false alarm 6e-5 each. The seed is fixed.
    """
    one = (
        TokenBucket(max_tokens=burst, tokens_per_fill=100, fill_interval="1s")
        if kind == "token_bucket"
        else Gcra(max_burst=burst - 1, count=100, period="1s")
    ).build()
    now_s, shares = 0.0, []
    for batch in range(BATCHES):
        count = 0
        for number in range(BATCH):
            now_s -= log(uniform(batch, 7, number)) / arrival_rate
            count += not one.admit(int(now_s * SECOND))
        shares.append(count / BATCH)

    assert mean(shares) == pytest.approx(rejected, abs=4.5 * stdev(shares) / sqrt(BATCHES))
    assert stdev(shares) / sqrt(BATCHES) < 0.06 * rejected
