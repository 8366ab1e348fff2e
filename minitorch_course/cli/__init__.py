"""`minitorch course` and `minitorch lab`: commands that the library finds by their entry points."""
