"""Faults, done for real: processes killed at each of their writes, disks that refuse, mirrors and records of noise."""
