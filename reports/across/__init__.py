"""What changed: two results files side by side, and the numbers that asv tracked across commits."""
