"""What measures: time, memory, work, accuracy, the machine. One file a concept; one a framework where it needs one."""
