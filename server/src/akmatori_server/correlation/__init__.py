"""Which alerts are one incident: the operator's rules, and the ones that hold without any."""
