package config

// limitKeys are those of limits, in the order of its types.
func limitKeys() []keyDoc {
	return []keyDoc{
		{"limits", "", "What the child process that fetches and renders may use."},
		{"limits.fetchTime", "5m", "The time that one fetch may take."},
		{"limits.fetchMemory", "1GiB", "The memory that one fetch, and rendering one app, may use."},
		{"limits.fetchDisk", "2GiB", "The disk space that one fetch may use: what is downloaded and the files of the commit together."},
		{"limits.file", "5MiB", "The size of one file of the repository; an app that reads a larger one is rejected."},
		{"limits.files", "20000", "How many files one commit may have; directories are counted by themselves, up to the same number."},
		{"limits.commits", "10000", "How many commits between two revisions may be looked at one by one."},
		{"limits.renderTime", "1m", "The time that rendering one app may take."},
		{"limits.renderSize", "10MiB", "The size of what one app renders to."},
		{"limits.objects", "5000", "How many objects one app may have."},
	}
}
