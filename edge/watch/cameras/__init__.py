"""The cameras: each gives frames by the `Camera` protocol."""
