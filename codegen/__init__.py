"""Makes the SDK's and the server's generated modules from the descriptions in `spec/`, and checks those."""
