"""Survey acts: folded after every commit, silent when their time is over."""
