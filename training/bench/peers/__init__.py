"""What `npm run bench -- peers` measures beside the Worker that is written in Python."""
