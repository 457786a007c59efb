"""What users read of mistakes in policies of their own: where, what came, and what would be right.

meshsim's own policies are not looked at, and pay nothing for this. A policy from elsewhere is: what its state answers is compared with
what its family's engine can use, at each call, and an exception in it is told with its place.
"""

from __future__ import annotations

import functools
import operator
from inspect import signature
from types import FunctionType
from typing import TYPE_CHECKING, Any

from meshsim.errors import MeshsimError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType

    Right = Callable[[Any, Mapping[str, Any]], str]
    """Of an answer and what was asked, by the names of the method's arguments: what would be right, empty where the answer is."""

OURS = "meshsim"


class PolicyError(MeshsimError):
    """A policy of a user's own that cannot be used: its place, what came, and what would be right."""


def yes_or_no(answer: Any, asked: Mapping[str, Any]) -> str:  # noqa: ARG001
    """It has to be True or False."""
    return "" if isinstance(answer, bool) or type(answer).__name__ == "bool_" else "True or False"


def whole(least: int, otherwise: str = "") -> Right:
    """It has to be a whole number, `least` or more; `otherwise` says what the least one means."""

    def right(answer: Any, asked: Mapping[str, Any]) -> str:  # noqa: ARG001
        return "" if _number(answer) is not None and answer >= least else f"a whole number, {least} or more{otherwise}"

    return right


def position(of: str, *, or_nobody: bool = False) -> Right:
    """It has to be a position in one of the arguments, or -1 for nobody."""

    def right(answer: Any, asked: Mapping[str, Any]) -> str:
        count, number = len(asked[of]), _number(answer)
        if number is not None and (-1 if or_nobody else 0) <= number < count:
            return ""
        return f"a position in `{of}`, from 0 to {count - 1}{', or -1 for nobody' if or_nobody else ''}"

    return right


def one_of(*kinds: type) -> Right:
    """It has to be of one of these types."""

    def right(answer: Any, asked: Mapping[str, Any]) -> str:  # noqa: ARG001
        return "" if isinstance(answer, kinds) else f"one of type {' or '.join(kind.__name__ for kind in kinds)}"

    return right


def is_ours(cls: type) -> bool:
    """Whether a class is meshsim's."""
    return cls.__module__.partition(".")[0] == OURS


class State:
    """What every policy's `build` gives: a plain object that answers an engine's questions and remembers what has happened."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        """Look at what a user's own state answers to the questions of its family."""
        super().__init_subclass__()
        if not is_ours(cls):
            interface = next((one for one in cls.__mro__ if one in _RIGHTS), State)
            for name, method in list(vars(cls).items()):
                question = getattr(interface, name, None)
                if isinstance(method, FunctionType) and isinstance(question, FunctionType) and not name.startswith("_"):
                    setattr(cls, name, _looked_at(method, cls, question, _RIGHTS[interface].get(name)))


_RIGHTS: dict[type, Mapping[str, Right]] = {}


def declare(interface: type, rights: Mapping[str, Right]) -> None:
    """What the answers to the questions of a family have to be."""
    _RIGHTS[interface] = rights


def guard_settings(cls: type, interface: type) -> None:
    """Look at what a user's own settings build, and tell exceptions in their other methods with their places."""
    for name, method in list(vars(cls).items()):
        if isinstance(method, FunctionType) and not name.startswith("_"):
            setattr(cls, name, _looked_at(method, cls, method, one_of(interface) if name in ("build", "beside") else None))


def _looked_at(method: FunctionType, cls: type, question: FunctionType, right: Right | None) -> Any:
    """The method, whose exceptions and answers are told with their places; `question` says what its arguments are called."""
    named, whose = signature(question), f"{cls.__name__}.{method.__name__}"

    @functools.wraps(method)
    def ask(*args: Any, **context: Any) -> Any:
        try:
            answer = method(*args, **context)
        except MeshsimError:
            raise
        except Exception as error:
            kind = type(error).__name__
            raise PolicyError(f"{_place(error, method.__code__)}: {whose} raised {kind}: {error}") from error
        if right is not None and (wanted := right(answer, named.bind(*args, **context).arguments)):
            code = method.__code__
            raise PolicyError(f"{code.co_filename}:{code.co_firstlineno}: {whose} gave {_shown(answer)}; it must give {wanted}")
        return answer

    return ask


def _place(error: BaseException, code: CodeType) -> str:
    """The innermost line of the file that the method is in; the method's first one where the call itself was wrong."""
    line, trace = code.co_firstlineno, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == code.co_filename and trace.tb_frame.f_globals.get("__name__") != __name__:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{code.co_filename}:{line}"


def place_of(frame: FrameType) -> str:
    """File and line of code that runs."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _number(answer: Any) -> int | None:
    try:
        return None if isinstance(answer, bool) else operator.index(answer)
    except TypeError:
        return None


def _shown(answer: Any) -> str:
    text = repr(answer)
    return text if len(text) <= 60 else f"{text[:57]}..."
