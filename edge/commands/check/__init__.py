"""The lines of `redroad check`, by where the answer comes from: each gives words, or raises."""
