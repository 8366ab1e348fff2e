"""Grade submissions: parse them without trust, run them in a sandbox, judge their values outside."""
