"""What X-PEFT is compared with: the same PLM, loop, head and data, another set of numbers that a profile learns."""
