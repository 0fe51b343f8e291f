"""The methods that X-PEFT is compared with. PLM, loop, head and data are the same; what a profile learns differs."""
