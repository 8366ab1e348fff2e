"""Write, build and verify notebooks."""
