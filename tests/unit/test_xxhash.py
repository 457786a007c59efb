"""xxHash64 against the specification's and Envoy's own figures."""

from __future__ import annotations

import pytest

from meshsim.xxhash import xxhash64


@pytest.mark.parametrize(
    ("text", "seed", "expected"),
    [
        ("", 0, 0xEF46DB3751D8E999),
        ("abc", 0, 0x44BC2CF5AD770999),
        ("Nobody inspects the spammish repetition", 0, 0xFBCEA83C8A378BF1),
        ("127.0.0.1:94_1", 0, 833437586790550860),
        ("127.0.0.1:90_0", 0, 16117243373044804889),
    ],
)
def test_known_hashes(text, seed, expected):
    """xxHash, tests; Envoy, test/extensions/load_balancing_policies/ring_hash/ring_hash_lb_test.cc (Basic)."""
    assert xxhash64(text, seed) == expected


def test_a_seed_makes_another_hash():
    assert xxhash64("127.0.0.1:94", 1) != xxhash64("127.0.0.1:94")
