"""Reports: States and Events go through a durable outbox to the MQTT broker."""
