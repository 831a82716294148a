"""Whether anybody is shown a level that is too old, in whatever order things die and come back."""
