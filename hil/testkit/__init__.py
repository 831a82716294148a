"""What the tests and the rigs share: real processes, brokers and disks under control."""
