"""What tests share: databases, running servers, payloads of a made-up system."""
