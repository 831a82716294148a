"""`redroad calibrate`: from marked points to a ground plane."""
