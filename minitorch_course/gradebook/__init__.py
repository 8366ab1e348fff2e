"""Output of grading: pages for people, and files for other programs. Nothing here runs a student's code."""
