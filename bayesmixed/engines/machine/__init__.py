"""What engines ask of the machine: threads, double precision, compiled programs, progress bars."""
