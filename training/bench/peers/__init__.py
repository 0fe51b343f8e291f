"""The Python peers that `npm run bench -- peers` measures beside the Worker."""
