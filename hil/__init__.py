"""Hardware in the loop: the rigs a release is proved on, and the scenarios that run on them."""
