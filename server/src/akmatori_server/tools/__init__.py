"""Tools: the types there are, the instances operators configure, and the SSH keys of an instance."""
