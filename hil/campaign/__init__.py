"""The fault campaign: what may go wrong does, and the sign never says a wrong "clear"."""
