"""What every program shares: messages, sockets, events, clock, errors."""
