"""The rig without a board: Debian's own systemd in a container, its devices simulated outside."""
