"""A store as one page, opened from disk, that computes by the same formulas."""
