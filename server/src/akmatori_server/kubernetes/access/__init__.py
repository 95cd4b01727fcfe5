"""Who may call Aotanami's API with a token of a Kubernetes cluster."""
