"""Notifications as Aotanami's API shows them."""
