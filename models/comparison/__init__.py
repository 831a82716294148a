"""The counter against other networks, published figures and a pedestrian detector."""
