"""The instruments: one small file each, and one framework each where they need one."""
