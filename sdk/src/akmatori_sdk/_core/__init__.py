"""The hand-written core of the SDK: everything the generated resources stand on."""
