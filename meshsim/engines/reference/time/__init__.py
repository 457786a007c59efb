"""Time: the clock, its light tasks and timers, stations of workers, and the outcome that a wait ends with."""
