"""Time: the clock and its light tasks, stations of workers, and how a wait ends."""
