"""Speed, as ratios: each figure beside its limit or a naive equivalent, taken in the same interleaved run."""
