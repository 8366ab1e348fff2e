"""From what students handed in to points: read without trust, run in a sandbox, judged outside."""
