"""The flat ground before the camera: marked points, plane, and what of the picture holds zones."""
