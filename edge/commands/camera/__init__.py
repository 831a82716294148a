"""`redroad camera find`: which cameras are on the network, and what to write of one. Only on
request: no program of the unit looks for cameras.
"""
