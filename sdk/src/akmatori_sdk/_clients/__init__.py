"""The four clients, one module each, so that using one does not load the others."""
