"""Is an answer right, and if not, which mistake makes exactly this one?"""
