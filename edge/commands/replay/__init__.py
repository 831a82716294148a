"""`redroad replay`: the whole way over a recording, and its plot."""
