module windlass.local/sandbox/pause

go 1.21
