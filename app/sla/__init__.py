"""The SLA clock at work: timers of every subject, what is announced of them, and the loop that fires them."""
