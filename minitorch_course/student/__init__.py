"""A student's folder: notebooks begun, checked, remembered and handed in."""
