"""What building a cell needs of a framework: one file each, imported only in the worker that measures it."""
