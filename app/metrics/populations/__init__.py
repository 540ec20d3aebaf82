"""One module for each kind of row that metrics count: volumes, cases, timers, surveys, customers, orders."""
