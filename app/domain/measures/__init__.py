"""What is measured: additive counters in, honest metric values out. `registry.METRICS` is the list."""
