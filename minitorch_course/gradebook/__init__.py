"""What comes out of grading: pages for people, files for other programs. Nothing here runs a student's code."""
