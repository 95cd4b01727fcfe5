"""What language models have used, by hour, day and month."""
