"""Why there is no figure."""


class NoFigure(LookupError):  # noqa: N818 — it is no error that nothing came
    """There was nothing to measure; the message says what was missing: `no requests`."""


class Never(NoFigure):
    """It is a time until something that did not come: longer than any."""
