"""SSH: commands that read, on the hosts that the operator listed; others as proposals. `kit.ssh_kit` makes the kit."""
