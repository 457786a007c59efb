"""Charts: each a function from a frame to axes, usable alone, with a computed sentence that says what it shows."""
