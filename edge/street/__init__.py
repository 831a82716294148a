"""The simulated street: figures, textures, a pinhole camera, weather, scenarios, exact truth."""
