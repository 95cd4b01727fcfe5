"""The Kubernetes side: manifests are read, workloads found in them, and checked."""
