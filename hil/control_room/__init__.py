"""The control room of deploy/control-room/, run and tested on this machine."""
