"""xxHash64, the hash that Envoy's consistent hashing puts endpoints and keys in order by.

Source: Collet, "XXH64 algorithm description", xxHash, doc/xxhash_spec.md; Envoy, source/common/common/hash.h (HashUtil::xxHash64).
"""

from __future__ import annotations

_MASK = 0xFFFFFFFFFFFFFFFF
_P1 = 0x9E3779B185EBCA87
_P2 = 0xC2B2AE3D27D4EB4F
_P3 = 0x165667B19E3779F9
_P4 = 0x85EBCA77C2B2AE63
_P5 = 0x27D4EB2F165667C5


def xxhash64(text: str, seed: int = 0) -> int:
    """The 64 bits of a text, in UTF-8, with a seed."""
    data = text.encode()
    place, length = 0, len(data)
    if length >= 32:
        lanes = [(seed + _P1 + _P2) & _MASK, (seed + _P2) & _MASK, seed, (seed - _P1) & _MASK]
        while place + 32 <= length:
            for number in range(4):
                lanes[number] = _round(lanes[number], _word(data, place + 8 * number, 8))
            place += 32
        total = sum(_rotate(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True))
        for lane in lanes:
            total = ((total ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        total = seed + _P5
    return _avalanche(_remainder(data, place, (total + length) & _MASK))


def _remainder(data: bytes, place: int, total: int) -> int:
    """Take in what is left after the stripes of 32 bytes."""
    length = len(data)
    while place + 8 <= length:
        total = (_rotate(total ^ _round(0, _word(data, place, 8)), 27) * _P1 + _P4) & _MASK
        place += 8
    if place + 4 <= length:
        total = (_rotate(total ^ (_word(data, place, 4) * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
        place += 4
    for byte in data[place:]:
        total = _rotate(total ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    return total


def _avalanche(total: int) -> int:
    """Let each bit of the result hang on every bit of the state."""
    total = (total ^ (total >> 33)) * _P2 & _MASK
    total = (total ^ (total >> 29)) * _P3 & _MASK
    return total ^ (total >> 32)


def _round(lane: int, word: int) -> int:
    return _rotate((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def _rotate(word: int, by: int) -> int:
    word &= _MASK
    return ((word << by) | (word >> (64 - by))) & _MASK


def _word(data: bytes, place: int, size: int) -> int:
    return int.from_bytes(data[place : place + size], "little")
