// All that follows the clock is there: it starts.
clock.set(run.start);
